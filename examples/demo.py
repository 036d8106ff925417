"""`make demo`: a refund, a void and a bag, each from the first quote to the money, and what becomes of them when
answers are lost and programs are killed.

It builds the library and the example programs, starts a simulated Atlas (real HTTP on the loopback
interface, days of virtual time), and lets a C or C++ program and a Python script tell each story. Needs
Rust, a C and C++ compiler, make and this Python; nothing is installed.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/support"))

import building  # noqa: E402
from simulator import Simulator  # noqa: E402

COLOURS = sys.stdout.isatty() and "NO_COLOR" not in os.environ


class Act(NamedTuple):
    program: str
    title: str
    opening: str
    order: dict[str, Any]
    fault: dict[str, Any] = {}
    # Told by this language beside Python.
    language: str = "c"
    # The program keeps its cases in a file, so that it can be killed.
    with_store: bool = False
    # Killed when this submit is under way, and started again.
    killed_in: str = ""


ACTS = [
    Act(
        "void",
        "The void",
        "An hour after buying, Mia sees that she booked the wrong week. The order can still be\n"
        "voided: everything comes back, as if it had never been.",
        {"airline": "F9", "passengers": [{"name": "ROSSI/MIA", "fare": "84.75"}], "createdAgo": "1h"},
    ),
    Act(
        "refund",
        "The refund",
        "Two days after buying, Ben and Ada have to stay at home. It is too late for a void. A refund\n"
        "has its price, and its money takes weeks.",
        {
            "airline": "U2",
            "passengers": [{"name": "WEBER/BEN", "fare": "129.37"}, {"name": "WEBER/ADA", "fare": "129.37"}],
            "segments": 2,
            "penalty": "30.10",
            "createdAgo": "2d",
        },
    ),
    Act(
        "baggage",
        "The bag",
        "Noor has her ticket, and more luggage than she thought. A bag is an order of its own: it is\n"
        "worth nothing until it is paid, and lapses if it is not.",
        {"airline": "W6", "passengers": [{"name": "AZIZ/NOOR", "fare": "61.25"}]},
    ),
    Act(
        "void",
        "The lost answer",
        "Leo's void reaches Atlas, and then the line breaks. Did it happen? Sending it again is the\n"
        "one thing not to do. The program asks.",
        {"airline": "F9", "passengers": [{"name": "MAIER/LEO", "fare": "84.75"}]},
        {"endpoint": "void", "mode": "drop_after"},
    ),
    Act(
        "resume",
        "The power cut",
        "Ida's refund is on its way to Atlas when the program is killed (SIGKILL). It is started again\n"
        "with the same key. What happened to the money?",
        {"airline": "U2", "passengers": [{"name": "BERG/IDA", "fare": "129.37"}], "penalty": "30.10", "createdAgo": "2d"},
        {"endpoint": "refund", "mode": "delay", "delayMs": 60_000},
        with_store=True,
        killed_in="refund",
    ),
    Act(
        "webhook",
        "The call from Atlas",
        "Nobody asks Atlas every minute how Tom's void stands. The program sleeps, and Atlas calls it.\n"
        "Anybody could call, so it takes nobody's word: it asks.",
        {"airline": "F9", "passengers": [{"name": "RUIZ/TOM", "fare": "84.75"}]},
        language="cpp",
        with_store=True,
    ),
]

LANGUAGES = {"c": "C", "cpp": "C++"}


def paint(text: str, code: str) -> str:
    return f"\033[{code}m{text}\033[0m" if COLOURS else text


def shade(line: str) -> str:
    """A line of a program, its label dimmed, what matters most in colour."""
    label, rest = line[:13], line[13:]
    if label.startswith("  happened?"):
        rest = paint(rest, "1;33" if rest.startswith("not known") else "1;32")
    elif label.startswith("  the end"):
        rest = paint(rest, "1;32")
    return paint(label, "2") + rest


def tell(atlas: Simulator, act: Act, command: list[str], by: str) -> bool:
    """Lets one program tell one act; whether it came to its good end."""
    print(f"  {paint(by, '36')}")
    order = atlas.order(**act.order)
    if act.fault:
        atlas.post("faults", **act.fault)
    with tempfile.TemporaryDirectory() as place:
        store = [str(Path(place, "cases.db"))] if act.with_store else []
        command = [*command, atlas.url, order, *store]
        if act.killed_in:
            play(command, lambda story: kill_in(atlas, story, act.killed_in, order))
            print(shade("             killed while Atlas was answering; started again\n"), flush=True)
        end = play(command)
    print()
    return end == 0


def play(command: list[str], meanwhile: Callable[["subprocess.Popen[str]"], None] = lambda _: None) -> int:
    """Runs a program, shows its lines, and gives its exit code."""
    surroundings = {**os.environ, "PYTHONPATH": str(building.PYTHON)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=surroundings) as story:
        assert story.stdout is not None
        meanwhile(story)
        for line in story.stdout:
            print(shade(line.rstrip("\n")), flush=True)
    return story.returncode


def kill_in(atlas: Simulator, story: "subprocess.Popen[str]", submit: str, order: str) -> None:
    """Kills a program as soon as its submit has arrived."""
    while story.poll() is None:
        if any(row["endpoint"] == submit and row["orderNo"] == order for row in atlas.get("ledger")["entries"]):
            story.kill()
        time.sleep(0.01)


def main() -> int:
    if sys.version_info < (3, 10):
        sys.exit("the demo needs Python 3.10 or later")
    print("Building; the first time takes a few minutes.", flush=True)
    building.library(python=True)
    programs = {act.program: building.program(HERE / f"{act.language}/{act.program}.{act.language}") for act in ACTS}
    good = True
    settings = "balance=2000.55,refundQueryWithoutCode=list"
    with Simulator(building.target() / "atlas-simulator", "--config", settings) as atlas:
        print(f"\nA simulated Atlas listens at {atlas.url}. Its clock can run: weeks pass in a moment.\n")
        for number, act in enumerate(ACTS, 1):
            print(paint(f"{number}. {act.title}", "1"))
            print(act.opening + "\n")
            source = f"{act.language}/{act.program}.{act.language}"
            good &= tell(atlas, act, [str(programs[act.program])], f"told by {LANGUAGES[act.language]}, examples/{source}")
            script = HERE / f"python/{act.program}.py"
            good &= tell(atlas, act, [sys.executable, str(script)], f"told by Python, examples/python/{act.program}.py")
        submits = [row for row in atlas.get("ledger")["entries"] if row["executed"] and row["orderNo"]]
        print(f"Atlas' own ledger: {len(submits)} submits carried out, none of them twice.")
    if len({(row["endpoint"], row["orderNo"]) for row in submits}) != len(submits) or not good:
        print("That is not how it should have ended.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
