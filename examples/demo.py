"""`make demo`: a refund, a void and baggage, each from the quote until the state is final; and what happens when a
reply is lost, when a program is killed, and when a notification arrives. Where PostgreSQL is installed, also what happens
when one of two hosts is killed.

It builds the library and the example programs, starts a simulated Atlas (HTTP on the loopback interface, virtual time),
and runs a C or C++ program and a Python script for each scenario. Needs Rust, a C and C++ compiler, make and this
Python; nothing is installed.
"""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/support"))

import building  # noqa: E402
import two_hosts  # noqa: E402
from simulator import Simulator  # noqa: E402

COLOURS = sys.stdout.isatty() and "NO_COLOR" not in os.environ


class Scenario(NamedTuple):
    program: str
    title: str
    introduction: str
    order: dict[str, Any]
    fault: dict[str, Any] = {}
    # The language of the program that runs beside the Python script.
    language: str = "c"
    # The program has a file for cases.
    with_store: bool = False
    # The program is killed when this submit has arrived at Atlas, and started again.
    killed_in: str = ""

    @property
    def source(self) -> str:
        return f"{self.language}/{self.program}.{self.language}"


SCENARIOS = [
    Scenario(
        "void",
        "The void",
        "An order can be voided within the airline's void window, here one hour after it was made. A void\n"
        "cancels the whole order and gives back the fare without a penalty.",
        {"airline": "F9", "passengers": [{"name": "ROSSI/MIA", "fare": "84.75"}], "createdAgo": "1h"},
    ),
    Scenario(
        "refund",
        "The refund",
        "Two days after it was made, the order can no longer be voided. A refund has a penalty, and the\n"
        "airline takes weeks to pay it.",
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
        "Baggage",
        "Baggage for a ticketed order is an order of its own. It has to be paid before its tktLimitTime;\n"
        "otherwise it lapses.",
        {"airline": "W6", "passengers": [{"name": "AZIZ/NOOR", "fare": "61.25"}]},
    ),
    Scenario(
        "void",
        "A lost reply",
        "The connection breaks after Atlas executed the void and before its reply. The outcome is unknown:\n"
        "the program queries, and does not submit again.",
        {"airline": "F9", "passengers": [{"name": "MAIER/LEO", "fare": "84.75"}]},
        {"endpoint": "void", "mode": "drop_after"},
    ),
    Scenario(
        "resume",
        "A killed process",
        "The program is killed (SIGKILL) while its refund is in flight, and started again. The refund is a case\n"
        "with a key: opening it again with the same key queries what happened to it, and submits nothing twice.",
        {
            "airline": "U2",
            "passengers": [{"name": "BERG/IDA", "fare": "129.37"}],
            "penalty": "30.10",
            "createdAgo": "2d",
        },
        {"endpoint": "refund", "mode": "delay", "delayMs": 60_000},
        with_store=True,
        killed_in="refund",
    ),
    Scenario(
        "webhook",
        "A notification",
        "Atlas reports changes of a void to a URL of the program. Notifications are not signed, so the\n"
        "program uses one only as a reason to query.",
        {"airline": "F9", "passengers": [{"name": "RUIZ/TOM", "fare": "84.75"}]},
        language="cpp",
        with_store=True,
    ),
]

TWO_HOSTS = (
    "Two hosts",
    "Two hosts share the cases in a PostgreSQL database. One is killed while its refund is in flight. The other\n"
    "has the same refund to do: it waits for the lease of the first, some 15 seconds, and queries what happened.",
)

LANGUAGES = {"c": "C", "cpp": "C++"}


def paint(text: str, code: str) -> str:
    return f"\033[{code}m{text}\033[0m" if COLOURS else text


def coloured(line: str) -> str:
    """A line of a program: its label dimmed, outcome and end in colour."""
    label, rest = line[:13], line[13:]
    if label.startswith("  happened?"):
        rest = paint(rest, "1;33" if rest.startswith("not known") else "1;32")
    elif label.startswith("  the end"):
        rest = paint(rest, "1;32")
    return paint(label, "2") + rest


def run_scenario(atlas: Simulator, scenario: Scenario, command: list[str], source: str) -> bool:
    """Runs one program in one scenario; whether it ended with the exit code 0."""
    print(f"  {paint(source, '36')}")
    order = atlas.order(**scenario.order)
    if scenario.fault:
        atlas.post("faults", **scenario.fault)
    with tempfile.TemporaryDirectory() as directory:
        store = [str(Path(directory, "cases.db"))] if scenario.with_store else []
        command = [*command, atlas.url, order, *store]
        if scenario.killed_in:
            run_program(command, lambda process: kill_in(atlas, process, scenario.killed_in, order))
            print(coloured("             killed while Atlas was answering; started again\n"), flush=True)
        exit_code = run_program(command)
    print()
    return exit_code == 0


def run_program(command: list[str], meanwhile: Callable[["subprocess.Popen[str]"], None] = lambda _: None) -> int:
    """Runs a program, prints its lines, and returns its exit code. `meanwhile` is called after the start."""
    environment = {**os.environ, "PYTHONPATH": str(building.PYTHON)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        meanwhile(process)
        for line in process.stdout:
            print(coloured(line.rstrip("\n")), flush=True)
    return process.returncode


def kill_in(atlas: Simulator, process: "subprocess.Popen[str]", submit: str, order: str) -> None:
    """Kills a program as soon as its submit has arrived at Atlas."""
    while process.poll() is None:
        if any(row["endpoint"] == submit and row["orderNo"] == order for row in atlas.get("ledger")["entries"]):
            process.kill()
        time.sleep(0.01)


def begin_two_hosts(more: ExitStack, atlas: Simulator) -> two_hosts.TwoHosts:
    refund = next(each for each in SCENARIOS if each.killed_in == "refund")
    order = atlas.order(**refund.order)
    atlas.post("faults", **refund.fault)
    return more.enter_context(two_hosts.TwoHosts(atlas, order))


def main() -> int:
    if sys.version_info < (3, 10):
        sys.exit("the demo needs Python 3.10 or later")
    print("Building; the first time takes a few minutes.", flush=True)
    building.library(python=True)
    programs = {each.source: building.program(HERE / each.source) for each in SCENARIOS}
    succeeded = True
    settings = "balance=2000.55,refundQueryWithoutCode=list"
    simulator = building.target() / "atlas-simulator"
    with Simulator(simulator, "--config", settings) as atlas, ExitStack() as more:
        skipped = two_hosts.missing()
        # Both hosts have an Atlas of their own: the clock of the other one makes leaps of weeks.
        hosts = None if skipped else begin_two_hosts(more, more.enter_context(Simulator(simulator, "--config", settings)))
        print(f"\nA simulated Atlas listens at {atlas.url}. Its clock is virtual: weeks pass in seconds.\n")
        for number, scenario in enumerate(SCENARIOS, 1):
            print(paint(f"{number}. {scenario.title}", "1"))
            print(scenario.introduction + "\n")
            source = f"{LANGUAGES[scenario.language]}: examples/{scenario.source}"
            succeeded &= run_scenario(atlas, scenario, [str(programs[scenario.source])], source)
            script = f"python/{scenario.program}.py"
            source = f"Python: examples/{script}"
            succeeded &= run_scenario(atlas, scenario, [sys.executable, str(HERE / script)], source)
        print(paint(f"{len(SCENARIOS) + 1}. {TWO_HOSTS[0]}", "1"))
        if hosts:
            print(TWO_HOSTS[1] + "\n")
            print(f"  {paint('Python: examples/python/resume.py, twice', '36')}")
            succeeded &= hosts.print(coloured)
            print()
        else:
            print(f"SKIPPED: {skipped}\n")
        ledgers = [each.get("ledger")["entries"] for each in (atlas, hosts.atlas if hosts else None) if each]
        submits = [(nth, row) for nth, rows in enumerate(ledgers) for row in rows if row["executed"] and row["orderNo"]]
    twice = len(submits) - len({(nth, row["endpoint"], row["orderNo"]) for nth, row in submits})
    print(f"The ledger of Atlas: {len(submits)} submits executed, {twice or 'none'} of them twice.")
    if twice or not succeeded:
        print("A program failed, or a submit was executed twice.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
