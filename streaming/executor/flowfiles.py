"""The folder of flow files: what is new or changed goes into the store, what is broken is told and harms nothing."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from threading import Event as Stop

import structlog
from redis.exceptions import RedisError

from data import Store, StoreUnavailable
from data.records import FlowProblem
from engine.flow import FlowError, Violation, parse
from engine.flow_size import USUAL, FlowSize
from streaming.bus import Bus
from streaming.messages import FlowsChanged

log = structlog.get_logger()

_STANDBY_LOOK = 0.05  # seconds
_SUFFIXES = {".yaml", ".yml"}


class FlowFiles:
    """Keeps the store's flows equal to the files of one folder. A file that goes away leaves its flow as it is.

    What the API makes of such a flow (another source, disabled, deleted) stays until its file changes.
    """

    def __init__(self, folder: Path, store: Store, bus: Bus, size: FlowSize = USUAL) -> None:
        self._folder = folder
        self._store = store
        self._bus = bus
        self._size = size
        self._seen: dict[Path, tuple[int, int]] | None = None
        self._digests: dict[str, str] = {}
        self._untold: list[tuple[str, str]] = []

    def watch(self, stop: Stop, works: Callable[[], bool], seconds: float = 1.0) -> None:
        """Look for changes every ``seconds`` until ``stop``, as long as the executor ``works``: a standby leaves flows
        as they are."""
        while True:
            if working := works():
                self.try_sync()
            if stop.wait(seconds if working else _STANDBY_LOOK):
                return

    def try_sync(self) -> None:
        """``sync``; what can't be done now is done the next time."""
        try:
            self.sync()
        except (StoreUnavailable, RedisError, OSError) as error:
            log.warning("flow_files.not_synced", folder=str(self._folder), error=str(error))
        except Exception:
            log.exception("flow_files.not_synced", folder=str(self._folder))

    def sync(self) -> list[tuple[str, str]]:
        """Take over what changed since the last call; the (namespace, id) of the flows with a new revision."""
        stamps = self._stamps()
        if self._seen is None:
            self._digests = self._store.flow_files()
            self._forget({problem.file for problem in self._store.flow_problems()} | self._digests.keys(), stamps)
            self._seen = {}
        self._forget({self._name(path) for path in self._seen}, stamps)
        for path in sorted(stamps):
            if self._seen.get(path) != stamps[path]:
                self._take(path)
                self._seen[path] = stamps[path]
        self._seen = stamps
        changed = list(self._untold)
        if changed:
            self._bus.tell(FlowsChanged(tuple(changed)))
        self._untold.clear()
        return changed

    def _name(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()

    def _forget(self, known: set[str], stamps: dict[Path, tuple[int, int]]) -> None:
        """Problems of files that are gone are none any more; one that comes back is a new one."""
        for name in known - {self._name(path) for path in stamps}:
            self._store.clear_flow_problem(name)
            if self._digests.pop(name, None) is not None:
                self._store.note_flow_file(name, None)

    def _stamps(self) -> dict[Path, tuple[int, int]]:
        if not self._folder.is_dir():
            return {}
        stamps = {}
        for path in self._folder.rglob("*"):
            if path.suffix in _SUFFIXES and path.is_file():
                stat = path.stat()
                stamps[path] = (stat.st_mtime_ns, stat.st_size)
        return stamps

    def _take(self, path: Path) -> None:
        try:
            source = path.read_text(encoding="utf-8")
            flow = parse(source, self._size)
        except FlowError as error:
            self._refuse(path, error.violations)
            return
        except (OSError, UnicodeDecodeError) as error:
            self._refuse(path, [Violation(1, 1, "", f"expected a readable UTF-8 file, got: {error}")])
            return
        name, digest = self._name(path), blake2b(source.encode(), digest_size=16).hexdigest()
        self._store.clear_flow_problem(name)
        if self._digests.get(name) == digest:
            return
        if self._store.save_flow(flow):
            self._untold.append((flow.namespace, flow.id))
            log.info("flow.saved", flow=f"{flow.namespace}.{flow.id}", file=name)
        self._store.note_flow_file(name, digest)
        self._digests[name] = digest

    def _refuse(self, path: Path, violations: list[Violation]) -> None:
        self._store.save_flow_problem(FlowProblem(self._name(path), tuple(violations)))
        log.warning("flow_file.refused", file=self._name(path), problems=[str(v) for v in violations])
