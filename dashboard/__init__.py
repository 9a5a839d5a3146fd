"""The Dash app: pages, callbacks, components, REST API."""
