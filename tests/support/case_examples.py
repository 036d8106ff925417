"""Runs the examples with a store: a refund whose process is killed, and the webhook receivers."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import building
from building import PYTHON, ROOT
from examples import DONE, REFUSED, UNRESOLVED
from results import SuiteResult
from simulator import Simulator

LISTED = "refundQueryWithoutCode=list"
# name: fault, options of the simulator, exit code of the second run, submits executed by the ledger.
KILLED: dict[str, tuple[dict[str, Any], str, int, int]] = {
    "killed before the reply": ({"mode": "delay", "delayMs": 60_000}, LISTED, DONE, 1),
    "killed before the reply, refunds are not listed": ({"mode": "delay", "delayMs": 60_000}, "", UNRESOLVED, 1),
    "killed before the reply, request delayed": ({"mode": "late", "delayMs": 3_600_000}, LISTED, REFUSED, 0),
}
DELIVERED = {"once": "", "twice": "webhooks=twice", "never": "webhooks=never"}


@contextmanager
def fixture(profile: str, **order_fields: Any) -> Iterator[tuple[Simulator, list[str]]]:
    """A simulator, and the arguments of a program: its URL, an order, the path of a new store."""
    arguments = ["--profile", profile] if profile else []
    binary = building.target() / "atlas-simulator"
    with Simulator(binary, "--seed", "7", *arguments) as atlas, tempfile.TemporaryDirectory() as directory:
        order = atlas.order(passengers=2, segments=2, fare="84.75", **order_fields)
        yield atlas, [atlas.url, order, str(Path(directory, "cases.db"))]


def start(command: list[str]) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(PYTHON)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)


def executed(atlas: Simulator, endpoint: str) -> int:
    return sum(row["executed"] and row["endpoint"] == endpoint for row in atlas.get("ledger")["entries"])


def wait_until(condition: Callable[[], Any]) -> None:
    """Waits up to 30 s for a condition."""
    deadline = time.monotonic() + 30
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.01)


def kill_in_flight(command: list[str], atlas: Simulator, endpoint: str) -> str:
    """Starts a program and kills it when its submit has arrived; the output until then."""
    with start(command) as first:
        wait_until(lambda: any(row["endpoint"] == endpoint for row in atlas.get("requests")["requests"]))
        first.send_signal(signal.SIGKILL)
        return first.communicate(timeout=60)[0]


def killed(result: SuiteResult, languages: dict[str, list[str]]) -> None:
    """The second run finds the outcome, and the ledger has at most one submit."""
    for scenario, (fault, profile, code, submits) in KILLED.items():
        outputs = {}
        for language, command in languages.items():
            what = f"{language} resume, {scenario}"
            with fixture(profile, airline="U2", createdAgo="2d") as (atlas, arguments):
                atlas.post("faults", endpoint="refund", **fault)
                kill_in_flight([*command, *arguments], atlas, "refund")
                with start([*command, *arguments]) as second:
                    outputs[language] = second.communicate(timeout=120)[0]
                result.check(second.returncode == code, f"{what}: {second.returncode} instead of {code}\n{outputs[language]}")
                sent = sum(row["endpoint"] == "refund" for row in atlas.get("requests")["requests"])
                result.check((sent, executed(atlas, "refund")) == (1, submits), f"{what}: {sent} requests, {executed(atlas, 'refund')} executed")
        result.check(len(set(outputs.values())) == 1, f"resume, {scenario}: different outputs\n" + "---\n".join(outputs.values()))


def webhooks(result: SuiteResult, languages: dict[str, list[str]]) -> None:
    """However often the notification is delivered, the program ends in the same way."""
    for delivered, profile in DELIVERED.items():
        outputs = {}
        for language, command in languages.items():
            what = f"{language} webhook, delivered {delivered}"
            with fixture(profile, airline="F9") as (atlas, arguments):
                with start([*command, *arguments]) as receiver:
                    outputs[language] = receiver.communicate(timeout=120)[0]
                result.check(receiver.returncode == DONE, f"{what}: {receiver.returncode}\n{outputs[language]}")
                result.check(executed(atlas, "void") == 1, f"{what}: executed {executed(atlas, 'void')} times")
                arrived = [event["delivered"] for event in atlas.get("webhook")["events"]]
                result.check((True in arrived) == (delivered != "never"), f"{what}: {arrived}")
        result.check(len(set(outputs.values())) == 1, f"webhook, delivered {delivered}: different outputs\n" + "---\n".join(outputs.values()))


def post(url: str, body: str, *, verb: str = "POST", path: str = "", length: int = -1) -> int:
    """Sends one HTTP request; the status of the answer, 0 if there is none."""
    target = urlsplit(url)
    with socket.create_connection((target.hostname or "", target.port or 0), timeout=30) as connection:
        head = f"{verb} {path or target.path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length if length >= 0 else len(body)}\r\n\r\n"
        connection.sendall((head + body).encode("latin-1"))
        answer = connection.makefile("rb").readline().split()
    return int(answer[1]) if len(answer) > 1 else 0


# Requests that are not notifications, or forged; the name begins with the status that each may get.
BAD_REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "400 no JSON": ("<html>", {}),
    "400 no text": ("\xff\x00", {}),
    "404 elsewhere": ("{}", {"path": "/elsewhere"}),
    "413 too large": ("", {"length": 1 << 30}),
    "405 or 501 no POST": ("", {"verb": "GET"}),
    "200 forged": ('{"type":"order.void","data":{"orderNo":"ORDER","voidCode":"1","voidStatus":4}}', {}),
}


def hostile(result: SuiteResult, languages: dict[str, list[str]]) -> None:
    """Bad requests are refused, and a forged notification changes nothing."""
    for language, command in languages.items():
        with fixture("", airline="F9") as (atlas, arguments):
            # Leaves time to send them while the program waits for the reply of its void.
            atlas.post("faults", endpoint="void", mode="delay", delayMs=1500)
            with start([*command, *arguments]) as receiver:
                wait_until(lambda: atlas.get("webhook")["url"])
                url = atlas.get("webhook")["url"]
                with ThreadPoolExecutor(len(BAD_REQUESTS)) as pool:
                    sent = [pool.submit(post, url, body.replace("ORDER", arguments[1]), **how) for body, how in BAD_REQUESTS.values()]
                answers = [answer.result() for answer in sent]
                output = receiver.communicate(timeout=120)[0]
            what = f"{language} webhook, bad requests"
            expected = all(str(answer) in status for answer, status in zip(answers, BAD_REQUESTS))
            result.check(expected, f"{what}: {dict(zip(BAD_REQUESTS, answers))}")
            result.check(receiver.returncode == DONE and "rejected" not in output, f"{what}: {receiver.returncode}\n{output}")
            result.check(executed(atlas, "void") == 1, f"{what}: executed {executed(atlas, 'void')} times")


def python(name: str) -> list[str]:
    return [sys.executable, str(ROOT / f"examples/python/{name}.py")]


def native(language: str, name: str) -> list[str]:
    source = ROOT / f"examples/{language}/{name}.{language}"
    return [str(building.program(source, name=f"example-{language}-{name}"))]


def check(result: SuiteResult) -> None:
    rust = [str(building.target() / "example-resume")]
    killed(result, {"C": native("c", "resume"), "Python": python("resume"), "Rust": rust})
    receivers = {"C++": native("cpp", "webhook"), "Python": python("webhook")}
    webhooks(result, receivers)
    hostile(result, receivers)
