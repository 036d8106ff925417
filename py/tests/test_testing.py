"""The test kit: what users of it write, in a pytest of its own, and how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import atlas_postbooking
from atlas_postbooking import AsyncClient, Client
from atlas_postbooking.testing import Simulator, find_program
from atlas_postbooking.testing.receiver import Receiver

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(atlas_postbooking.__file__).parent.parent)}


def test_fixtures(
    atlas_client: Client, atlas_simulator: Simulator, atlas_faults: Callable[..., None], atlas_ledger: Callable[..., list[dict[str, Any]]],
    atlas_clock: Callable[..., Any], atlas_webhooks: Receiver, atlas_async_client: AsyncClient,
) -> None:  # fmt: skip
    order = atlas_simulator.order(airline="F9", passengers=2)
    atlas_faults("void", "drop_after")
    assert atlas_client.cases.open(kind="void", order_no=order, key="k").case.outcome == "executed"
    (row,) = atlas_ledger(order, executed=True)
    assert row["endpoint"] == "void" and atlas_ledger("NOPE") == []
    before = atlas_simulator.now
    assert atlas_clock(timedelta(days=2)) - before == timedelta(days=2) == atlas_simulator.now - before
    assert b"order.void" in atlas_webhooks.wait() and atlas_simulator.events()
    assert atlas_client.case_notify(body=atlas_webhooks.bodies[0]).cases
    with pytest.raises(TimeoutError, match="no notification"):
        Receiver().wait(0.01)
    assert not isinstance(atlas_async_client, Client)


@pytest.mark.atlas("strict", seed=7)
def test_profile_and_control(atlas_simulator: Simulator) -> None:
    assert atlas_simulator.control("profile")["refundQueryWithoutCode"] == "list"
    order = atlas_simulator.order()
    assert atlas_simulator.change(order, codes={"void": 905})["orderNo"] == order
    atlas_simulator.fault("*", "drop_before", times=5)
    atlas_simulator.clear_faults()
    assert atlas_simulator.control("faults")["faults"] == []
    atlas_simulator.reset()
    assert atlas_simulator.control("orders") != order and atlas_simulator.requests() == []


def test_it_does_not_outlive_a_test_that_was_killed(tmp_path: Path) -> None:
    program = "import time; from atlas_postbooking.testing import Simulator; s = Simulator(); print(s._process.pid, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", program], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        simulator = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    end = time.monotonic() + 20
    while Path(f"/proc/{simulator}/stat").exists() and Path(f"/proc/{simulator}/stat").read_text().split()[2] != "Z":
        assert time.monotonic() < end, "it is still there"
        time.sleep(0.05)


def test_where_the_program_is_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ATLAS_SIMULATOR", "/a/program")
    assert find_program() == Path("/a/program")
    monkeypatch.delenv("ATLAS_SIMULATOR")
    program = tmp_path / "atlas-simulator"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.metadata.files", lambda name: None)
    assert find_program() == program
    with pytest.raises(RuntimeError, match="did not start"):
        Simulator()
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(FileNotFoundError, match=r"pip install 'atlas-postbooking\[testing\]'"):
        find_program()


def test_the_plugin_imports_nothing_by_itself() -> None:
    program = "import sys, atlas_postbooking.testing.plugin; print([m for m in sys.modules if m.startswith('atlas_postbooking.')])"
    ran = subprocess.run([sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, text=True)
    assert ran.stdout.strip() == "['atlas_postbooking._native', 'atlas_postbooking.testing', 'atlas_postbooking.testing.plugin']", ran.stderr
