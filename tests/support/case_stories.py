"""The examples with a store: a refund whose process is killed, and the webhook receivers."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import building
from building import PYTHON, ROOT
from simulator import Simulator
from stories import REFUSED, SETTLED, UNSETTLED
from tally import Tally

LISTED = "refundQueryWithoutCode=list"
# name: fault, switches of the simulator, exit code of the second run, submits carried out by the ledger.
KILLED: dict[str, tuple[dict[str, Any], str, int, int]] = {
    "killed while Atlas answers": ({"mode": "delay", "delayMs": 60_000}, LISTED, SETTLED, 1),
    "killed, and refunds are not listed": ({"mode": "delay", "delayMs": 60_000}, "", UNSETTLED, 1),
    "killed, and it never arrives": ({"mode": "late", "delayMs": 3_600_000}, LISTED, REFUSED, 0),
}
DELIVERED = {"once": "", "twice": "webhooks=twice", "never": "webhooks=never"}


@contextmanager
def world(profile: str, **wishes: Any) -> Iterator[tuple[Simulator, list[str]]]:
    """A simulated Atlas, and the arguments of a program: its URL, an order, a place for the store."""
    arguments = ["--profile", profile] if profile else []
    binary = building.target() / "atlas-simulator"
    with Simulator(binary, "--seed", "7", *arguments) as atlas, tempfile.TemporaryDirectory() as place:
        order = atlas.order(passengers=2, segments=2, fare="84.75", **wishes)
        yield atlas, [atlas.url, order, str(Path(place, "cases.db"))]


def start(command: list[str]) -> "subprocess.Popen[str]":
    surroundings = {**os.environ, "PYTHONPATH": str(PYTHON)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=surroundings)


def executed(atlas: Simulator, endpoint: str) -> int:
    return sum(row["executed"] and row["endpoint"] == endpoint for row in atlas.get("ledger")["entries"])


def wait_until(what: Any) -> None:
    """Waits for something to be so."""
    deadline = time.monotonic() + 30
    while not what():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.01)


def kill_in_flight(command: list[str], atlas: Simulator, endpoint: str) -> str:
    """Starts a program, kills it while its submit is under way, and gives what it had said."""
    with start(command) as first:
        wait_until(lambda: any(row["endpoint"] == endpoint for row in atlas.get("requests")["requests"]))
        first.send_signal(signal.SIGKILL)
        return first.communicate(timeout=60)[0]


def killed(tally: Tally, languages: dict[str, list[str]]) -> None:
    """The second run tells what happened, and the ledger knows of one submit at most."""
    for scene, (fault, profile, code, submits) in KILLED.items():
        told = {}
        for language, command in languages.items():
            what = f"{language} resume, {scene}"
            with world(profile, airline="U2", createdAgo="2d") as (atlas, arguments):
                atlas.post("faults", endpoint="refund", **fault)
                kill_in_flight([*command, *arguments], atlas, "refund")
                with start([*command, *arguments]) as second:
                    told[language] = second.communicate(timeout=120)[0]
                tally.check(second.returncode == code, f"{what}: {second.returncode} instead of {code}\n{told[language]}")
                sent = sum(row["endpoint"] == "refund" for row in atlas.get("requests")["requests"])
                tally.check((sent, executed(atlas, "refund")) == (1, submits), f"{what}: {sent} requests, {executed(atlas, 'refund')} carried out")
        tally.check(len(set(told.values())) == 1, f"resume, {scene}: not one story\n" + "---\n".join(told.values()))


def webhooks(tally: Tally, languages: dict[str, list[str]]) -> None:
    """Once, twice or never delivered: the same end."""
    for delivered, profile in DELIVERED.items():
        told = {}
        for language, command in languages.items():
            what = f"{language} webhook, delivered {delivered}"
            with world(profile, airline="F9") as (atlas, arguments):
                with start([*command, *arguments]) as story:
                    told[language] = story.communicate(timeout=120)[0]
                tally.check(story.returncode == SETTLED, f"{what}: {story.returncode}\n{told[language]}")
                tally.check(executed(atlas, "void") == 1, f"{what}: carried out {executed(atlas, 'void')} times")
                arrived = [event["delivered"] for event in atlas.get("webhook")["events"]]
                tally.check((True in arrived) == (delivered != "never"), f"{what}: {arrived}")
        tally.check(len(set(told.values())) == 1, f"webhook, delivered {delivered}: not one story\n" + "---\n".join(told.values()))


def post(url: str, body: str, *, verb: str = "POST", path: str = "", length: int = -1) -> int:
    """One HTTP request, as anybody may send it; the status of the answer, 0 without one."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=30) as line:
        head = f"{verb} {path or place.path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length if length >= 0 else len(body)}\r\n\r\n"
        line.sendall((head + body).encode("latin-1"))
        answer = line.makefile("rb").readline().split()
    return int(answer[1]) if len(answer) > 1 else 0


# What strangers send, by the answers that they may get.
STRANGERS: dict[str, tuple[str, dict[str, Any]]] = {
    "400 no JSON": ("<html>", {}),
    "400 no text": ("\xff\x00", {}),
    "404 elsewhere": ("{}", {"path": "/elsewhere"}),
    "413 too large": ("", {"length": 1 << 30}),
    "405 or 501 no POST": ("", {"verb": "GET"}),
    "200 forged": ('{"type":"order.void","data":{"orderNo":"ORDER","voidCode":"1","voidStatus":4}}', {}),
}


def hostile(tally: Tally, languages: dict[str, list[str]]) -> None:
    """Anybody can send anything: it is refused, and a forged notification moves nothing."""
    for language, command in languages.items():
        with world("", airline="F9") as (atlas, arguments):
            # Time to find the address and to send, while the program waits for the answer to its void.
            atlas.post("faults", endpoint="void", mode="delay", delayMs=1500)
            with start([*command, *arguments]) as story:
                wait_until(lambda: atlas.get("webhook")["url"])
                url = atlas.get("webhook")["url"]
                with ThreadPoolExecutor(len(STRANGERS)) as crowd:
                    sent = [crowd.submit(post, url, body.replace("ORDER", arguments[1]), **how) for body, how in STRANGERS.values()]
                answers = [answer.result() for answer in sent]
                told = story.communicate(timeout=120)[0]
            what = f"{language} webhook among strangers"
            fitting = all(str(answer) in status for answer, status in zip(answers, STRANGERS))
            tally.check(fitting, f"{what}: {dict(zip(STRANGERS, answers))}")
            tally.check(story.returncode == SETTLED and "rejected" not in told, f"{what}: {story.returncode}\n{told}")
            tally.check(executed(atlas, "void") == 1, f"{what}: carried out {executed(atlas, 'void')} times")


def python(name: str) -> list[str]:
    return [sys.executable, str(ROOT / f"examples/python/{name}.py")]


def native(language: str, name: str) -> list[str]:
    source = ROOT / f"examples/{language}/{name}.{language}"
    return [str(building.program(source, name=f"example-{language}-{name}"))]


def check(tally: Tally) -> None:
    killed(tally, {"C": native("c", "resume"), "Python": python("resume")})
    receivers = {"C++": native("cpp", "webhook"), "Python": python("webhook")}
    webhooks(tally, receivers)
    hostile(tally, receivers)
