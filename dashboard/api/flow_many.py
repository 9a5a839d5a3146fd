"""Flows, several at once: by ids or by filters, in from YAML and zip files, out as a zip or CSV."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from functools import partial
from typing import Any

import flask

from dashboard.api import shapes
from dashboard.api.context import Api
from dashboard.api.errors import ApiError, answer
from dashboard.api.flows import documents, matching, source_of_request
from dashboard.api.spec import FILTERS, REASON, YAML_BODY, Endpoint, Parameter
from dashboard.permissions import Verb
from data.export import guarded
from data.filters import parse as parse_filters
from data.records import StoredFlow
from engine.flow import Flow, FlowError, parse

FLOWS_MAX = 1_000  # named in one request, or in one zip
IMPORT_MAX_BYTES = 64 * 1024 * 1024
_SUFFIXES = (".yaml", ".yml")
_ZIP = b"PK\x03\x04"
Name = tuple[str, str]


def named(api: Api, verb: Verb) -> list[Name]:
    """``[{namespace, id}]``, of which the person may do that with each."""
    given = flask.request.get_json(silent=True, force=True)
    good = isinstance(given, list) and all(
        isinstance(one, dict) and all(isinstance(one.get(key), str) for key in ("namespace", "id")) for one in given
    )
    if not good or not 0 < len(given) <= FLOWS_MAX:
        message = f"expected a list of 1 to {FLOWS_MAX:,} {{namespace, id}}"
        raise ApiError(400, f"body: {message}.", [(message, "body")])
    names = list(dict.fromkeys((one["namespace"], one["id"]) for one in given))
    for namespace, _ in names:
        api.demand(verb, namespace)
    return names


def found(api: Api, verb: Verb, *, all_of_them: bool = False) -> list[StoredFlow]:
    """Those that match the filters; without a filter only where that may mean ``all_of_them``."""
    filters = parse_filters(flask.request.args)
    if not filters.conditions and not filters.groups and not all_of_them:
        message = "expected at least one filter: without any it would be all flows there are"
        raise ApiError(400, f"filters: {message}.", [(message, "filters")])
    return matching(api, filters, verb)


def _names(flows: list[StoredFlow]) -> list[Name]:
    return [(one.namespace, one.id) for one in flows]


# -- switched and deleted


def _switch(api: Api, names: list[Name], disabled: bool) -> flask.Response:
    known, reason = api.services.flows, api.text("reason")
    api.read(lambda: known.switch(names, disabled=disabled, actor=api.actor, reason=reason, origin="api"))
    return answer({"count": len(names)})


def switch_named(disabled: bool, api: Api) -> flask.Response:
    """Disable or enable flows by their names."""
    return _switch(api, named(api, Verb.EDIT_FLOWS), disabled)


def switch_found(disabled: bool, api: Api) -> flask.Response:
    """Disable or enable the flows that match."""
    return _switch(api, _names(found(api, Verb.EDIT_FLOWS)), disabled)


def _delete(api: Api, names: list[Name]) -> flask.Response:
    known, reason = api.services.flows, api.text("reason")
    return answer({"count": api.read(lambda: known.delete(names, actor=api.actor, reason=reason, origin="api"))})


def delete_named(api: Api) -> flask.Response:
    """Delete flows by their names."""
    return _delete(api, named(api, Verb.EDIT_FLOWS))


def delete_found(api: Api) -> flask.Response:
    """Delete the flows that match."""
    return _delete(api, _names(found(api, Verb.EDIT_FLOWS)))


# -- in


def bulk(api: Api) -> flask.Response:
    """Save all flows of the body, or none; with ``delete`` those of the namespace that are not in it go."""
    sources = documents(source_of_request(api, IMPORT_MAX_BYTES))
    flows = [_parsed(api, index, source) for index, source in enumerate(sources)]
    names = {(flow.namespace, flow.id) for flow in flows}
    gone = [name for name in _rivals(api) if name not in names]
    known, who = api.services.flows, {"actor": api.actor, "reason": api.text("reason"), "origin": "api"}
    saved = api.read(lambda: known.save_all(sources, **who))
    if gone:
        api.read(lambda: known.delete(gone, **who))
    return answer([shapes.flow(one, source=True) for one in saved])


def _parsed(api: Api, index: int, source: str) -> Flow:
    try:
        flow = parse(source, api.settings.flow_size)
    except FlowError as error:
        parts = [(f"line {one.line}, column {one.column}: {one.message}", f"[{index}].{one.path}")
                 for one in error.violations]  # fmt: skip
        raise ApiError(422, f"Flow {index + 1} of the body is none, so nothing is saved:\n{error}", parts) from error
    api.demand(Verb.EDIT_FLOWS, flow.namespace)
    return flow


def _rivals(api: Api) -> list[Name]:
    """Flows of the namespace, when what is not in the body is to be deleted."""
    namespace, delete = api.text("namespace"), api.boolean("delete", False)
    if not delete:
        return []
    if namespace is None:
        message = "expected the namespace whose other flows are to be deleted"
        raise ApiError(400, f"namespace: {message}.", [(message, "namespace")])
    api.demand(Verb.EDIT_FLOWS, namespace)
    return [name for name in _names(api.read(lambda: api.store.flows(namespace))) if name[0] == namespace]


def bring_in(api: Api) -> flask.Response:
    """Save the flows of a YAML file or of a zip of such files; what is none is answered, and harms no other."""
    flask.request.max_content_length = IMPORT_MAX_BYTES
    file = flask.request.files.get("fileUpload")
    if file is None:
        message = "expected a YAML or zip file as the part fileUpload"
        raise ApiError(400, f"fileUpload: {message}.", [(message, "fileUpload")])
    good, bad = [], []
    for name, source in _sources(file.filename or "fileUpload", file.stream.read()):
        try:
            flow = parse(source, api.settings.flow_size)
            api.demand(Verb.EDIT_FLOWS, flow.namespace)
        except (FlowError, PermissionError) as error:
            bad.append(f"{name}: {error}")
        else:
            good.append(source)
    api.read(lambda: api.services.flows.save_all(good, actor=api.actor, reason=api.text("reason"), origin="api"))
    return answer(bad)


def _sources(name: str, content: bytes) -> Iterator[tuple[str, str]]:
    """(name, flow) of all documents, in what was sent or in the files that are in it."""
    files = [(name, content)]
    if content.startswith(_ZIP):
        files = list(_unpacked(content))
    for file, data in files:
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            raise ApiError(422, f"{file}: expected YAML in UTF-8: {error.reason} at byte {error.start}.") from error
        parts = documents(text)
        yield from ((file if len(parts) == 1 else f"{file} {n}", part) for n, part in enumerate(parts, 1))


def _unpacked(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Files of a zip, no larger together than what may be sent."""
    left = IMPORT_MAX_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            members = [one for one in packed.infolist() if one.filename.endswith(_SUFFIXES)]
            for one in members[:FLOWS_MAX]:
                with packed.open(one) as opened:
                    data = opened.read(left + 1)
                left -= len(data)
                if left < 0 or len(members) > FLOWS_MAX:
                    raise ApiError(
                        413, f"The zip holds more than {FLOWS_MAX:,} flows or {IMPORT_MAX_BYTES >> 20} MiB of them."
                    )
                yield one.filename, data
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise ApiError(422, f"Not a zip file that can be read: {error}.") from error


# -- out


def _zip(flows: list[StoredFlow]) -> flask.Response:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for one in flows:
            packed.writestr(f"{one.namespace}.{one.id}.yml", one.source)
    headers = {"Content-Disposition": 'attachment; filename="flows.zip"'}
    return flask.Response(buffer.getvalue(), mimetype="application/zip", headers=headers)


def export_named(api: Api) -> flask.Response:
    """The sources of flows by their names."""
    return _zip([api.flow(*name) for name in named(api, Verb.EXPORT)])


def export_found(api: Api) -> flask.Response:
    """The sources of the flows that match."""
    return _zip(found(api, Verb.EXPORT, all_of_them=True))


def export_csv(api: Api) -> flask.Response:
    """The flows that match as a table."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("namespace", "id", "revision", "disabled", "updated", "labels", "description"))
    for one in found(api, Verb.EXPORT, all_of_them=True):
        labels = ", ".join(f"{key}:{value}" for key, value in one.labels.items())
        about = (str(one.disabled).lower(), shapes.iso(one.updated_at), guarded(labels), guarded(one.description or ""))
        writer.writerow((guarded(one.namespace), guarded(one.id), one.revision, *about))
    return flask.Response(text.getvalue(), mimetype="text/csv")


_BODY = Parameter("body", "application/json", "`[{namespace, id}]`.", required=True, where="body")
_FILE = Parameter("body", "multipart/form-data", "`fileUpload`: a YAML or zip file.", required=True, where="body")


def _endpoint(method: str, path: str, handler: Any, summary: str, reply: str, *given: Parameter,
              verb: Verb = Verb.EDIT_FLOWS) -> Endpoint:  # fmt: skip
    return Endpoint(method, path, handler, summary, reply, given, verb=verb, narrows=True, strict=True)


def _switches() -> Iterator[Endpoint]:
    for word, title, disabled in (("enable", "Enable", False), ("disable", "Disable", True)):
        path = f"/flows/{word}"
        by_ids, by_query = partial(switch_named, disabled), partial(switch_found, disabled)
        yield _endpoint("POST", f"{path}/by-ids", by_ids, f"{title} flows.", "BulkResponse", _BODY, REASON)
        yield _endpoint("POST", f"{path}/by-query", by_query, f"{title} the flows that match.", "BulkResponse",
                        FILTERS, REASON)  # fmt: skip


ENDPOINTS = (
    *_switches(),
    _endpoint("DELETE", "/flows/delete/by-ids", delete_named, "Delete flows.", "BulkResponse", _BODY, REASON),
    _endpoint(
        "DELETE", "/flows/delete/by-query", delete_found, "Delete the flows that match.", "BulkResponse", FILTERS,
        REASON,
    ),
    _endpoint(
        "POST", "/flows/bulk", bulk, "Save several flows, all or none.", "[FlowWithSource]",
        Parameter("namespace", "string", "Of which namespace the others are deleted, with `delete`."),
        Parameter("delete", "boolean", "Delete the flows of the namespace that are not in the body.", "false"),
        YAML_BODY, REASON,
    ),
    _endpoint("POST", "/flows/import", bring_in, "Save the flows of a file.", "[string]", _FILE, REASON),
    _endpoint(
        "POST", "/flows/export/by-ids", export_named, "Sources of flows as a zip.", "application/zip", _BODY,
        verb=Verb.EXPORT,
    ),
    _endpoint(
        "GET", "/flows/export/by-query", export_found, "Sources of the flows that match, as a zip.",
        "application/zip", FILTERS, verb=Verb.EXPORT,
    ),
    _endpoint(
        "GET", "/flows/export/by-query/csv", export_csv, "The flows that match as CSV.", "text/csv", FILTERS,
        verb=Verb.EXPORT,
    ),
)  # fmt: skip
