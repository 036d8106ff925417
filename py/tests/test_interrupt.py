"""Ctrl-C during a call. Each test starts a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scripted import Server, answer

import atlas_postbooking

HERE = Path(atlas_postbooking.__file__).parent.parent

PROGRAM = """
import json, signal, sys, threading
from atlas_postbooking import Client
# A test run in the background of a shell inherits that SIGINT is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
client = Client(base_url=sys.argv[1], client_id="id", client_secret="secret", timeout_ms=60000)
def stop(*_):
    raise RuntimeError("stopped")
if "raising" in sys.argv:
    signal.signal(signal.SIGINT, stop)
if "printing" in sys.argv:
    signal.signal(signal.SIGINT, lambda *_: print("handled", flush=True))
if "nested" in sys.argv:
    signal.signal(signal.SIGINT, lambda *_: print(client.balance()["n"], flush=True))
try:
    if "read" in sys.argv:
        reply = client.query_void_orders(order_no="A1")
    else:
        reply = client.void(order_no="A1", void_offer_id="q")
    print("reply", reply.outcome)
except BaseException as e:
    print(json.dumps({"kind": type(e).__name__, "notes": getattr(e, "__notes__", list(e.args)), "outcome": e.outcome}))
    sys.stdout.flush()
    if "continue" in sys.argv:
        sys.stdin.readline()
        print(client.balance()["n"])
"""


def start(server: Server, *flags: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    command = [sys.executable, "-W", "error", "-c", PROGRAM, server.url, *flags]
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str], stdin: str = "") -> list[str]:
    try:
        out, err = process.communicate(stdin, timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        pytest.fail("the program did not end")
    assert err == "" and process.returncode == 0
    return out.splitlines()


def interrupted(server: Server, *flags: str) -> dict[str, Any]:
    server.hang()
    process = start(server, *flags)
    server.wait_for(1)
    process.send_signal(signal.SIGINT)
    raised: dict[str, Any] = json.loads(finish(process)[0])
    return raised


def test_a_submit(server: Server) -> None:
    raised = interrupted(server)
    assert (raised["kind"], raised["outcome"]) == ("KeyboardInterrupt", "unknown")
    assert "void continues in the background" in raised["notes"][-1] and "query the vendor" in raised["notes"][-1]


def test_a_read(server: Server) -> None:
    raised = interrupted(server, "read")
    assert (raised["kind"], raised["outcome"]) == ("KeyboardInterrupt", "not_executed")
    assert "changes nothing" in raised["notes"][-1]


def test_the_exception_of_another_handler(server: Server) -> None:
    raised = interrupted(server, "raising")
    assert (raised["kind"], raised["outcome"]) == ("RuntimeError", "unknown")


def late(server: Server, body: dict[str, Any]) -> Any:
    return lambda peer: (server.release.wait(30), peer.sendall(answer(body)))


def test_a_handler_that_does_not_raise(server: Server) -> None:
    server.then(late(server, {"status": 0, "orderNo": "A1"}))
    process = start(server, "printing")
    server.wait_for(1)
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None and process.stdout.readline() == "handled\n", "during the call"
    server.release.set()
    assert finish(process) == ["reply executed"]


def test_a_handler_that_makes_a_call(server: Server) -> None:
    server.then(late(server, {"status": 0, "orderNo": "A1"}), {"status": 0, "n": 7})
    process = start(server, "nested")
    server.wait_for(1)
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None and process.stdout.readline() == "7\n"
    server.release.set()
    assert finish(process) == ["reply executed"]


def test_an_interrupted_call_completes_and_the_client_can_call_again(server: Server) -> None:
    arrived: list[int] = []

    def slow(peer: Any) -> None:
        server.release.wait(30)
        peer.sendall(answer({"status": 0, "orderNo": "A1"}))
        # The client still had the connection open.
        arrived.append(1)

    server.then(slow, {"status": 0, "n": 5})
    process = start(server, "continue")
    server.wait_for(1)
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None and json.loads(process.stdout.readline())["outcome"] == "unknown"
    server.release.set()
    assert finish(process, "\n") == ["5"]
    assert arrived
