"""Files sent with a request: kept in the file storage, known from then on by their address."""

from __future__ import annotations

import re
from typing import Any

from dashboard.api.context import Api
from engine.ids import new_id

_CHUNK = 1024 * 1024
_UNSAFE = re.compile(r"[^\w.-]+")


def keep(api: Api, upload: Any) -> str:
    """Keep an uploaded file; its URI."""
    import fsspec

    name = _UNSAFE.sub("_", upload.filename or "file").strip("._")[-120:] or "file"
    uri = f"{api.settings.resolved_files_url.rstrip('/')}/inputs/{new_id()}/{name}"
    with fsspec.open(uri, "wb", auto_mkdir=True) as target:
        while chunk := upload.stream.read(_CHUNK):
            target.write(chunk)
    return uri
