"""Front-end libraries and fonts, from ``node_modules`` by an allow-list: the page asks no other host."""

from __future__ import annotations

from pathlib import Path

import flask

ROOT = Path(__file__).resolve().parent.parent
NODE_MODULES = ROOT / "node_modules"
_DAY = 86_400

FILES: dict[str, tuple[str, str]] = {
    "socket.io.js": ("socket.io-client/dist/socket.io.esm.min.js", "text/javascript"),
    "socket.io.esm.min.js.map": ("socket.io-client/dist/socket.io.esm.min.js.map", "application/json"),
}
FONTS: dict[str, str] = {
    f"{face}-{subset}.woff2": f"@fontsource-variable/{face}/files/{face}-{subset}-wght-normal.woff2"
    for face in ("inter", "jetbrains-mono")
    for subset in ("latin", "latin-ext")
}
_FAMILIES = {"inter": "Inter Variable", "jetbrains-mono": "JetBrains Mono Variable"}
_RANGES = {
    "latin": "U+0000-00FF,U+0131,U+0152-0153,U+02BB-02BC,U+02C6,U+02DA,U+02DC,U+2000-206F,U+20AC,U+2122,U+2190-2199,"
    "U+2212,U+2215,U+FEFF,U+FFFD",
    "latin-ext": "U+0100-02BA,U+02BD-02C5,U+02C7-02CC,U+02CE-02D7,U+02DD-02FF,U+1D00-1DBF,U+1E00-1E9F,U+1EF2-1EFF,"
    "U+2020,U+20A0-20AB,U+20AD-20C0,U+2113,U+2C60-2C7F,U+A720-A7FF",
}


def register(server: flask.Flask) -> None:
    """``/vendor/<name>``, ``/vendor/fonts.css`` and ``/vendor/fonts/<name>``."""

    @server.get("/vendor/<name>", endpoint="vendor")
    def vendor(name: str) -> flask.Response:
        path, kind = FILES.get(name) or flask.abort(404)
        return flask.send_file(NODE_MODULES / path, mimetype=kind, max_age=0, conditional=True)

    @server.get("/vendor/fonts.css", endpoint="vendor_fonts_css")
    def fonts_css() -> flask.Response:
        answer = flask.Response(css(), mimetype="text/css")
        answer.headers["Cache-Control"] = f"max-age={_DAY}"
        return answer

    @server.get("/vendor/fonts/<name>", endpoint="vendor_font")
    def font(name: str) -> flask.Response:
        path = FONTS.get(name) or flask.abort(404)
        return flask.send_file(NODE_MODULES / path, mimetype="font/woff2", max_age=365 * _DAY, conditional=True)


def css() -> str:
    """The ``@font-face`` rules."""
    return "\n".join(_face(face, subset) for face in _FAMILIES for subset in _RANGES)


def _face(face: str, subset: str) -> str:
    return (
        f'@font-face {{ font-family: "{_FAMILIES[face]}"; font-style: normal; font-weight: 100 900; '
        f'font-display: swap; src: url("/vendor/fonts/{face}-{subset}.woff2") format("woff2"); '
        f"unicode-range: {_RANGES[subset]}; }}"
    )
