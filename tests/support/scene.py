"""A simulated vendor, one store, and processes with builds of the library on it. Standard library only."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import building
from simulator import Simulator
from worker import Worker

# An order that can be voided.
NOW = {"airline": "F9", "fare": "100.00"}


class Scene:
    """A simulated vendor, a store, and a way to start processes on it."""

    def __init__(self, atlas: Simulator, directory: Path, face: str, path: Path) -> None:
        self.atlas, self.store, self.face, self.path = atlas, directory / "cases.db", face, path
        self.config = {
            "baseUrl": atlas.url,
            "clientId": "findings",
            "clientSecret": "a-secret-of-the-tests",
            "store": {"path": str(self.store)},
            "clock": {"url": f"{atlas.url}/_sim/clock"},
            "settleMs": 60_000,
        }

    def worker(self, path: Path | None = None) -> Worker:
        """A process with the scene's build, or another one."""
        return Worker(self.face, path or self.path)

    def call(self, operation: str, request: Any, path: Path | None = None, **options: Any) -> dict[str, Any]:
        """A call of a process that does nothing else."""
        with self.worker(path) as worker:
            return worker.call(self.config, operation, request, **options)

    def sent(self, endpoint: str) -> int:
        return sum(1 for each in self.atlas.get("requests")["requests"] if each["endpoint"] == endpoint)

    def copy_store(self) -> Path:
        """As a file tool copies it while nobody has it open."""
        copy = self.store.with_name("yesterday.db")
        for end in ("", "-wal"):
            if Path(f"{self.store}{end}").exists():
                shutil.copyfile(f"{self.store}{end}", f"{copy}{end}")
        return copy

    def put_back(self, copy: Path) -> None:
        """As another file of that name."""
        for end in ("-wal", "-shm"):
            Path(f"{self.store}{end}").unlink(missing_ok=True)
        for end in ("-wal", ""):
            if Path(f"{copy}{end}").exists():
                again = Path(f"{copy}.again{end}")
                shutil.copyfile(f"{copy}{end}", again)
                again.rename(f"{self.store}{end}")


def wait_for(condition: Callable[[], bool], every: float = 0.02) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it did not come"
        time.sleep(every)


@contextmanager
def scene(face: str, path: Path) -> Iterator[Scene]:
    with tempfile.TemporaryDirectory() as directory, Simulator(building.target() / "atlas-simulator") as atlas:
        yield Scene(atlas, Path(directory), face, path)
