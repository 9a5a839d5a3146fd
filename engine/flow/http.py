"""Tasks that ask an HTTP server. Templates are rendered and checked by the worker."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, model_validator

from engine.flow.base import Condition, Duration, Model, Text, either, is_template
from engine.flow.tasks import TASKS, Task

_CORE = "io.kestra.plugin.core.http."
_OLD = "io.kestra.plugin.fs.http."


def _code(value: Any) -> Any:
    if isinstance(value, bool) or not (is_template(value) or str(value).isdigit()):
        raise ValueError(f"expected a status code such as 404, came {value!r}")
    return value


class HttpTimeout(Model):
    """How long to wait for the connection, and for the next bytes of the answer."""

    connectTimeout: Duration | None = None
    readIdleTimeout: Duration | None = None


class HttpOptions(Model):
    """How to ask. ``allowedResponseCodes`` are codes from 400 on that are no failure. The last six are older names."""

    timeout: HttpTimeout | None = None
    auth: dict[str, Any] | None = None
    proxy: dict[str, Any] | None = None
    ssl: dict[str, Any] | None = None
    followRedirects: Condition = "true"
    allowFailed: Condition = "false"
    allowedResponseCodes: tuple[Annotated[Any, BeforeValidator(_code)], ...] = ()
    defaultCharset: Text = "UTF-8"
    maxContentLength: Any = None
    connectTimeout: Duration | None = None
    readTimeout: Duration | None = None
    readIdleTimeout: Duration | None = None
    basicAuthUser: Text | None = None
    basicAuthPassword: Text | None = None


class Http(Task):
    """What both have. ``formData`` is sent as a form, of parts when ``contentType`` is multipart/form-data.

    ``allowFailed`` is the older place of the option.
    """

    uri: Text
    method: Text = "GET"
    headers: Annotated[Any, either(dict, str)] = {}
    params: Annotated[Any, either(dict, str)] = {}
    body: Any = None
    contentType: Text | None = None
    formData: Annotated[Any, either(dict, str)] = {}
    options: HttpOptions = HttpOptions()
    allowFailed: Condition = "false"

    @model_validator(mode="after")
    def _method_is_known(self) -> Http:
        if not is_template(self.method) and self.method.upper() not in METHODS:
            raise ValueError(f"`method`: expected one of {', '.join(METHODS)}, came {self.method!r}")
        return self


METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE")


@TASKS.register(f"{_CORE}Request", f"{_OLD}Request")
class HttpRequest(Http):
    """Asks, and gives the answer as outputs."""


@TASKS.register(f"{_CORE}Download", f"{_OLD}Download")
class HttpDownload(Http):
    """Asks, and keeps the answer as a file."""

    saveAs: Text | None = None
    failOnEmptyResponse: Condition = "true"
