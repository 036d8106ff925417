"""``follow`` and ``webhook serve``: processes that run for long and end cleanly."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from command import Operator

from atlas_postbooking.testing import Simulator

pytest.importorskip("click")

NOTIFICATION = b'{"type":"order.void","data":{"orderNo":"%s","voidStatus":2}}'


@pytest.fixture
def desk(atlas_simulator: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Operator:
    return Operator(atlas_simulator, tmp_path, capsys)


def open_case(desk: Operator) -> str:
    no = desk.atlas.order(airline="F9", fare="84.75")
    desk("void", no, "--live", "--key", f"k-{no}")
    return no


def line(process: subprocess.Popen[str], stream: str = "stdout") -> str:
    pipe = getattr(process, stream)
    return str(pipe.readline())


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_follow_tells_changes_and_ends_cleanly(desk: Operator, number: int, code: int) -> None:
    no = open_case(desk)
    process = desk.start("follow", "--every", "0.2")
    assert line(process, "stderr") == "following 1 open cases\n"
    desk.atlas.advance("2d")
    assert f"k-{no}: executed, refunded, code 202603-0001" in line(process)
    started = time.monotonic()
    os.kill(process.pid, number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (code, "", "stopped\n") and time.monotonic() - started < 5


def test_follow_sees_cases_that_other_processes_open(desk: Operator) -> None:
    process = desk.start("--json", "follow", "--every", "0.2")
    assert line(process, "stderr") == "following 0 open cases\n"
    no = open_case(desk)
    # It may look while the other process is still at work, and tells that first.
    for _ in range(5):
        told = json.loads(line(process))
        assert told["key"] == f"k-{no}"
        if told["state"] == "atlas_processing":
            break
    assert told["state"] == "atlas_processing"
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_follow_until_done(desk: Operator) -> None:
    no = open_case(desk)
    desk.atlas.advance("2d")
    assert f"k-{no}: executed, refunded" in desk("follow", "--until-done", "--every", "0.1").out


def test_follow_waits_without_work(desk: Operator) -> None:
    """A daemon with nothing to do must not be busy."""
    process = desk.start("follow", "--every", "0.5")
    line(process, "stderr")
    before = os.times()
    time.sleep(2)
    process.terminate()
    process.communicate(timeout=30)
    after = os.times()
    assert after.children_user + after.children_system - before.children_user - before.children_system < 1.5


def test_the_unit_file(desk: Operator, tmp_path: Path) -> None:
    unit = desk("follow", "--systemd-unit").out
    for part in ("ExecStart=", f"Environment=ATLAS_STORE={desk.store}", "KillSignal=SIGTERM", "LoadCredential=atlas-secret", f"Environment=ATLAS_BASE_URL={desk.atlas.url}"):
        assert part in unit
    assert "secret-of-tests" not in unit
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze")
    path = tmp_path / "atlas-follow.service"
    # The program of this test is no file that systemd would find.
    path.write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", unit))
    checked = subprocess.run(["systemd-analyze", "verify", str(path)], capture_output=True, text=True)
    complaints = [each for each in checked.stderr.splitlines() if "atlas-follow" in each]
    assert not complaints, checked.stderr


def post(url: str, body: bytes, method: str = "POST") -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body or None, method=method), timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


def test_webhook_serve(desk: Operator) -> None:
    assert "16 characters" in desk("webhook", "serve", "--path", "/short", code=2).err
    no = open_case(desk)
    process = desk.start("webhook", "serve", "--port", "0", "--path", "/a-path-nobody-guesses")
    url = line(process, "stderr").split()[-1]
    body = NOTIFICATION % no.encode()
    assert post(url, body) == 200 and line(process) == "order.void: 1 case due\n"
    assert post(url, body) == 200 and line(process) == "order.void, again: 0 cases due\n"
    assert post(url, b"[]") == 400
    assert post(url[:-1], body) == 404
    assert post(url, b"", "GET") == 501
    assert post(url, b"x" * (1 << 20) + b"x") == 413
    # The vendor's own delivery.
    desk.atlas.set_webhook(url)
    desk.atlas.advance("2d")
    assert line(process).startswith("order.void")
    process.terminate()
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0 and err.splitlines()[-1] == "stopped" and "Traceback" not in err
    desk("follow", "--until-done", "--every", "0.1")
    assert desk("cases", "list").err == "0 cases\n"


def test_webhook_answers_500_when_it_cannot_store(desk: Operator) -> None:
    open_case(desk)
    process = desk.start("webhook", "serve", "--port", "0", "--path", "/a-path-nobody-guesses")
    url = line(process, "stderr").split()[-1]
    assert post(url, NOTIFICATION % b"A1") == 200
    desk.store.write_bytes(b"\0" * 8192)
    assert post(url, NOTIFICATION % b"A2") == 500
    process.terminate()
    process.communicate(timeout=30)
