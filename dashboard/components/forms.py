"""Forms made from inputs: the right control for each type, its default, and where its error goes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.ids import FORM_BUTTONS, form_field
from engine.flow.base import is_template
from engine.flow.inputs import Input

Common = dict[str, Any]
Maker = Callable[[Input, Common], Component]


def fields(children: Any = None, *, more: str = "", **named: Any) -> Component:
    """What holds fields. Browsers want those of passwords in a form; one of the method ``dialog`` is sent nowhere."""
    return html.Form(children, className=f"wf-form {more}".rstrip(), method="dialog", **named)


def form(name: str, inputs: Iterable[Input], upload_max: int) -> list[Component]:
    """Controls of all inputs, in order; a line that says so when there are none. ``upload_max``: bytes of a file."""
    makers = {**_MAKERS, "FILE": _file(name, upload_max)}
    controls = [makers.get(item.type.upper(), _text)(item, _common(name, item)) for item in inputs]
    return controls or [html.P("This flow takes no inputs.", className="wf-muted")]


def values(ids: Iterable[Mapping[str, Any]], given: Iterable[Any]) -> dict[str, Any]:
    """Input id → value, as ``validate_inputs`` takes them; what was left empty is left out."""
    pairs = ((one["input"], value) for one, value in zip(ids, given, strict=True))
    return {name: value for name, value in pairs if value not in (None, "", [])}


def errors(ids: Iterable[Mapping[str, Any]], wrong: Mapping[str, str]) -> list[str | None]:
    """The error below each control, in the order of ``ids``."""
    return [wrong.get(one["input"]) for one in ids]


def _common(name: str, item: Input) -> Common:
    hint = [item.description] if item.description else []
    if is_template(item.defaults):
        hint.append(f"default: {item.defaults}")
    if item.dependsOn is not None:
        hint.append(f"only when {item.dependsOn.condition}")
    return {
        "id": form_field(name, item.id),
        "label": item.displayName or item.id,
        "description": " · ".join(hint) or None,
        "withAsterisk": item.required and item.defaults is None and item.dependsOn is None,
        "className": "wf-field",
    }


def _default(item: Input) -> Any:
    """A default that is a template is left to the server."""
    return None if item.defaults is None or is_template(item.defaults) else item.defaults


def _words(value: Any) -> str | None:
    return None if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _text(item: Input, common: Common, **more: Any) -> Component:
    pattern = getattr(item, "validator", None)
    hint = {"placeholder": f"matches {pattern}"} if pattern else {}
    return dmc.TextInput(**common, **{**hint, **more}, value=_words(_default(item)) or "")


def _typed(kind: str, placeholder: str) -> Maker:
    def make(item: Input, common: Common) -> Component:
        return _text(item, common, placeholder=placeholder, inputProps={"type": kind})

    return make


def _secret(item: Input, common: Common) -> Component:
    """A default stays on the server: left empty, it is taken there."""
    hint = {"placeholder": "left empty: the default"} if item.defaults is not None else {}
    return dmc.PasswordInput(**common, **hint, value="", inputProps={"autoComplete": "new-password"})


def _file(form_name: str, upload_max: int) -> Maker:
    def make(item: Input, common: Common) -> Component:
        params = {
            "field": common["id"],
            "go": FORM_BUTTONS[form_name],
            "max": upload_max,
            "description": common["description"],
        }
        data = {"data-wf-view": "file-field", "data-wf-params": json.dumps(params, ensure_ascii=False)}
        return _text(
            item,
            common | {"className": "wf-field wf-field-file"},
            placeholder="choose a file, or give the address of a stored one",
            rightSection=html.Div(className="wf-file", **data),
            rightSectionWidth=112,
        )

    return make


def _number(decimals: bool) -> Maker:
    def make(item: Input, common: Common) -> Component:
        low, high = getattr(item, "min", None), getattr(item, "max", None)
        bounds = " to ".join(str(one) for one in (low, high) if one is not None)
        default = _default(item)
        return dmc.NumberInput(
            **common,
            value="" if default is None else default,
            allowDecimal=decimals,
            placeholder=bounds or ("a number" if decimals else "a whole number"),
        )

    return make


def _switch(item: Input, common: Common) -> Component:
    known = {name: value for name, value in common.items() if name != "withAsterisk"}
    default = _default(item)
    choices = [{"value": "true", "label": "true"}, {"value": "false", "label": "false"}]
    value = None if default is None else str(default).lower()
    return dmc.Select(**known, data=choices, value=value, clearable=not item.required, placeholder="true or false")


def _select(item: Input, common: Common) -> Component:
    choices = list(getattr(item, "values", ()))
    if getattr(item, "allowCustomValue", False):
        return dmc.Autocomplete(**common, data=choices, value=_words(_default(item)) or "")
    return dmc.Select(**common, data=choices, value=_words(_default(item)), searchable=len(choices) > 8,
                      clearable=not item.required)  # fmt: skip


def _multiselect(item: Input, common: Common) -> Component:
    default = _default(item)
    make = dmc.TagsInput if getattr(item, "allowCustomValue", False) else dmc.MultiSelect
    return make(**common, data=list(getattr(item, "values", ())), value=list(default or []), clearable=True)


def _area(placeholder: str) -> Maker:
    def make(item: Input, common: Common) -> Component:
        return dmc.Textarea(
            **(common | {"className": "wf-field wf-field-code"}),
            value=_words(_default(item)) or "",
            placeholder=placeholder,
            autosize=True,
            minRows=2,
            maxRows=12,
        )

    return make


_MAKERS: dict[str, Maker] = {
    "STRING": _text,
    "SECRET": _secret,
    "EMAIL": _typed("email", "ada@example.org"),
    "URI": _typed("text", "https://… or file:///…"),
    "INT": _number(False),
    "FLOAT": _number(True),
    "BOOL": _switch,
    "BOOLEAN": _switch,
    "SELECT": _select,
    "ENUM": _select,
    "MULTISELECT": _multiselect,
    "DATETIME": _typed("text", "2025-01-31T14:30:00Z"),
    "DATE": _typed("date", "2025-01-31"),
    "TIME": _typed("text", "14:30:00"),
    "DURATION": _typed("text", "PT5M"),
    "JSON": _area('{"key": "value"}'),
    "YAML": _area("key: value"),
    "ARRAY": _area('["a", "b"]'),
}
