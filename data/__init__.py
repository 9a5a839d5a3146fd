"""The record: tables, store, filters, metrics, files."""
