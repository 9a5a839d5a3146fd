"""The HTML page around the app: the theme before the first paint, the live configuration, our ES modules."""

from __future__ import annotations

from typing import Any

import dash
from flask_login import current_user

from dashboard import statics
from dashboard.components import action_looks
from dashboard.permissions import PERMISSIONS, Verb, grants_of
from engine.states import STATES, State
from streaming import codec
from watchfloor import __version__

CLIENTSIDE = ("theme.js", "times.js", "flowstate.js", "callbacks.js", "keys.js", "prefetch.js")

_PAGE = """<!DOCTYPE html>
<html lang="en" data-theme="dark" data-mantine-color-scheme="dark">
<head>
{metas}
<title>{title}</title>
<link id="wf-favicon" rel="icon" href="/assets/img/favicon.svg" type="image/svg+xml">
{head_scripts}
<link rel="preload" href="/vendor/fonts/inter-latin.woff2" as="font" type="font/woff2" crossorigin>
<link rel="stylesheet" href="/vendor/fonts.css">
{css}
<script type="application/json" id="wf-config">{wf_config}</script>
{modules}
</head>
<body>
{app_entry}
<footer>
{config}
{scripts}
{renderer}
</footer>
</body>
</html>"""

# What stands there until the app has loaded: the frame's outline, so that nothing jumps.
_ENTRY = """<div id="react-entry-point"><div class="wf-boot" role="status" aria-label="Loading">
<div class="wf-boot-rail"></div><div class="wf-boot-bar"></div>
<div class="wf-boot-page"><i></i><i></i><i></i><i></i><i></i><i></i></div></div></div>"""


def config(user: Any) -> dict[str, Any]:
    """What the browser's modules know from the start: who, which states and actions there are."""
    may = PERMISSIONS[Verb.EXECUTE]
    return {
        "user": getattr(user, "name", None),
        "role": getattr(user, "role", None),
        "grants": grants_of(user),
        "version": __version__,
        "prefetch": statics.PREFETCH,
        "states": [STATES[state] for state in State],
        "actions": action_looks.described(),
        "execute": {"least": may.least.title, "permits": may.title},
    }


class App(dash.Dash):
    """Dash with our page around it."""

    def interpolate_index(self, **parts: Any) -> str:
        """The HTML of every page."""
        root = f"/js/{statics.version()}"
        text = codec.to_json(config(current_user)).decode().replace("<", "\\u003c")
        return _PAGE.format(
            **{name: parts[name] for name in ("metas", "title", "css", "config", "scripts", "renderer")},
            head_scripts="\n".join(f'<script src="{root}/clientside/{name}"></script>' for name in CLIENTSIDE),
            modules=_modules(root),
            wf_config=text,
            app_entry=_ENTRY,
        )


def _modules(root: str) -> str:
    """Our entry, and all modules below it at once: without that each is only found when another one names it."""
    ahead = [f'<link rel="modulepreload" href="{root}/{path}">' for path in statics.modules()]
    return "\n".join([f'<script type="module" src="{root}/main.js"></script>', *ahead])
