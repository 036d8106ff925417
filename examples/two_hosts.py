"""The part of `make demo` with two hosts: both open the same case in one PostgreSQL database, and one is killed.

The database is started for it, with the programs of the machine's PostgreSQL. Each worker has process ids of its own,
as on another host: the second one cannot see that the first is gone, and waits until its lease is over.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import building
import postgres
from simulator import Simulator

SCRIPT = Path(__file__).resolve().parent / "python/resume.py"
# A namespace of process ids; one who is not root needs a user namespace as well.
HOST = ["unshare", "--pid", "--fork", "--kill-child", *([] if os.getuid() == 0 else ["--user", "--map-root-user"])]


def missing() -> str:
    """Why this part cannot run; empty if it can."""
    if postgres.folder() is None:
        return "PostgreSQL is not installed"
    if shutil.which("unshare") is None or subprocess.run([*HOST, "true"], capture_output=True).returncode != 0:
        return "this machine cannot start processes in a namespace of their own (unshare)"
    return ""


class TwoHosts:
    """Begins on entry, beside the rest of the demo: the lease of the killed host lasts for some seconds."""

    def __init__(self, atlas: Simulator, order: str) -> None:
        self.atlas = atlas
        self.order = order
        self.output = ["", ""]
        self.exit_code: int | None = None
        self.waited = 0.0
        self.thread = threading.Thread(target=self._run)

    def __enter__(self) -> "TwoHosts":
        self.server = postgres.Server()
        self.server.__enter__()
        self.thread.start()
        return self

    def __exit__(self, *error: type[BaseException] | BaseException | TracebackType | None) -> None:
        try:
            self.thread.join()
        finally:
            self.server.__exit__(*error)

    def print(self, coloured: Callable[[str], str]) -> bool:
        """Prints what both have printed; whether the second one ended well."""
        self.thread.join()
        for line in self.output[0].splitlines():
            print(coloured(line))
        print(coloured(f"             killed, and the other host went on after {self.waited:.0f} s\n"))
        for line in self.output[1].splitlines():
            print(coloured(line))
        return self.exit_code == 0

    def _worker(self) -> "subprocess.Popen[str]":
        command = [*HOST, sys.executable, str(SCRIPT), self.atlas.url, self.order, self.server.url]
        environment = {**os.environ, "PYTHONPATH": str(building.PYTHON)}
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)

    def _run(self) -> None:
        with self._worker() as first:
            while first.poll() is None:
                if any(row["endpoint"] == "refund" for row in self.atlas.get("ledger")["entries"]):
                    first.kill()
                time.sleep(0.01)
            self.output[0] = first.stdout.read() if first.stdout else ""
        killed = time.monotonic()
        with self._worker() as second:
            lines = []
            for line in second.stdout or ():
                if "happened?" in line:
                    self.waited = time.monotonic() - killed
                lines.append(line)
        self.output[1] = "".join(lines)
        self.exit_code = second.returncode
