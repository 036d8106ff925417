"""The command line, run in this process or as a program of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import atlas_postbooking
from atlas_postbooking import Client
from atlas_postbooking.testing import Simulator

PACKAGE = Path(atlas_postbooking.__file__).parent


class Ran:
    """How a command ended, and what it printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Operator:
    """An operator with a configuration file and a store, in front of a simulated Atlas."""

    def __init__(self, atlas: Simulator, directory: Path, capsys: pytest.CaptureFixture[str], name: str = "desk") -> None:
        self.atlas, self.directory, self._capsys = atlas, directory, capsys
        self.store = directory / f"{name}.db"
        self.config = directory / f"{name}.json"
        secret = directory / f"{name}.secret"
        secret.write_text("secret-of-tests\n")
        secret.chmod(0o600)
        # The settle time is that of a test; else as a person would write it.
        self.values = {
            "base_url": atlas.url, "clientId": "desk-4711", "clientSecretFile": str(secret), "settle_ms": 60_000,
            "store": {"path": str(self.store)}, "clock": {"url": f"{atlas.url}/_sim/clock"},
        }  # fmt: skip
        self.config.write_text(json.dumps(self.values))

    def __call__(self, *arguments: str, code: int | None = 0) -> Ran:
        from atlas_postbooking.cli.app import run

        self._capsys.readouterr()
        ended = run(["--config", str(self.config), *arguments])
        ran = Ran(ended, *self._capsys.readouterr())
        assert code is None or ended == code, f"{arguments}: exit code {ended}\n{ran.out}\n{ran.err}"
        return ran

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The command as a process of its own."""
        command = [sys.executable, "-m", "atlas_postbooking.cli", "--config", str(self.config), *arguments]
        environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), "PYTHONWARNINGS": "error"}
        # A shell that starts the tests in the background has them ignore SIGINT, and a child inherits that.
        command = ["env", "--default-signal=INT", *command]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def client(self) -> Client:
        config = {**self.atlas.config, "client_id": "desk-4711", "settle_ms": 60_000}
        return Client(config, store={"path": self.store})
