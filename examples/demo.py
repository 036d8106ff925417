"""`make demo`: a refund, a void and a baggage order, each from the quotation to the final state, also when answers are
lost and programs are killed.

It builds the library and the example programs, starts a simulated Atlas (real HTTP on the loopback
interface, days of virtual time), and runs each scenario with a C or C++ program and with a Python script. Needs
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


class Scenario(NamedTuple):
    program: str
    title: str
    opening: str
    order: dict[str, Any]
    fault: dict[str, Any] = {}
    # The language that runs it beside Python.
    language: str = "c"
    # The program keeps its cases in a file, so that it can be killed.
    with_store: bool = False
    # Killed when this submit is under way, and started again.
    killed_in: str = ""


SCENARIOS = [
    Scenario(
        "void",
        "The void",
        "An order is voided an hour after it was bought. The window is open: the whole amount\n"
        "comes back.",
        {"airline": "F9", "passengers": [{"name": "ROSSI/MIA", "fare": "84.75"}], "createdAgo": "1h"},
    ),
    Scenario(
        "refund",
        "The refund",
        "An order for two is refunded two days after it was bought. The void window is over; a refund\n"
        "has a penalty, and the money takes weeks.",
        {
            "airline": "U2",
            "passengers": [{"name": "WEBER/BEN", "fare": "129.37"}, {"name": "WEBER/ADA", "fare": "129.37"}],
            "segments": 2,
            "penalty": "30.10",
            "createdAgo": "2d",
        },
    ),
    Scenario(
        "baggage",
        "The bag",
        "A bag is bought for a ticketed order. It is an order of its own: unpaid at first, and\n"
        "cancelled by the vendor if it is not paid in time.",
        {"airline": "W6", "passengers": [{"name": "AZIZ/NOOR", "fare": "61.25"}]},
    ),
    Scenario(
        "void",
        "The lost answer",
        "The void reaches Atlas and the connection breaks before the answer. The outcome is unknown:\n"
        "the program does not send again, it queries.",
        {"airline": "F9", "passengers": [{"name": "MAIER/LEO", "fare": "84.75"}]},
        {"endpoint": "void", "mode": "drop_after"},
    ),
    Scenario(
        "resume",
        "The killed program",
        "The program is killed (SIGKILL) while its refund is at Atlas, and started again with the same\n"
        "key: the case is resumed and queried, nothing is sent again.",
        {"airline": "U2", "passengers": [{"name": "BERG/IDA", "fare": "129.37"}], "penalty": "30.10", "createdAgo": "2d"},
        {"endpoint": "refund", "mode": "delay", "delayMs": 60_000},
        with_store=True,
        killed_in="refund",
    ),
    Scenario(
        "webhook",
        "The webhook",
        "The program waits for a notification instead of polling. Notifications are unsigned, so one\n"
        "only makes a query due, and the query's answer counts.",
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


def run_scenario(atlas: Simulator, scenario: Scenario, command: list[str], by: str) -> bool:
    """Runs one scenario with one program; whether the program ended with success."""
    print(f"  {paint(by, '36')}")
    order = atlas.order(**scenario.order)
    if scenario.fault:
        atlas.post("faults", **scenario.fault)
    with tempfile.TemporaryDirectory() as place:
        store = [str(Path(place, "cases.db"))] if scenario.with_store else []
        command = [*command, atlas.url, order, *store]
        if scenario.killed_in:
            run_program(command, lambda process: kill_in(atlas, process, scenario.killed_in, order))
            print(shade("             killed while Atlas was answering; started again\n"), flush=True)
        end = run_program(command)
    print()
    return end == 0


def run_program(command: list[str], meanwhile: Callable[["subprocess.Popen[str]"], None] = lambda _: None) -> int:
    """Runs a program, shows its lines, and gives its exit code."""
    surroundings = {**os.environ, "PYTHONPATH": str(building.PYTHON)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=surroundings) as process:
        assert process.stdout is not None
        meanwhile(process)
        for line in process.stdout:
            print(shade(line.rstrip("\n")), flush=True)
    return process.returncode


def kill_in(atlas: Simulator, process: "subprocess.Popen[str]", submit: str, order: str) -> None:
    """Kills a program as soon as its submit has arrived."""
    while process.poll() is None:
        if any(row["endpoint"] == submit and row["orderNo"] == order for row in atlas.get("ledger")["entries"]):
            process.kill()
        time.sleep(0.01)


def main() -> int:
    if sys.version_info < (3, 10):
        sys.exit("the demo needs Python 3.10 or later")
    print("Building; the first time takes a few minutes.", flush=True)
    building.library(python=True)
    programs = {scenario.program: building.program(HERE / f"{scenario.language}/{scenario.program}.{scenario.language}") for scenario in SCENARIOS}
    good = True
    settings = "balance=2000.55,refundQueryWithoutCode=list"
    with Simulator(building.target() / "atlas-simulator", "--config", settings) as atlas:
        print(f"\nA simulated Atlas listens at {atlas.url}. Its clock can run: weeks pass in a moment.\n")
        for number, scenario in enumerate(SCENARIOS, 1):
            print(paint(f"{number}. {scenario.title}", "1"))
            print(scenario.opening + "\n")
            source = f"{scenario.language}/{scenario.program}.{scenario.language}"
            good &= run_scenario(atlas, scenario, [str(programs[scenario.program])], f"run by {LANGUAGES[scenario.language]}, examples/{source}")
            script = HERE / f"python/{scenario.program}.py"
            good &= run_scenario(atlas, scenario, [sys.executable, str(script)], f"run by Python, examples/python/{scenario.program}.py")
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
