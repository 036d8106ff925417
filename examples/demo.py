"""`make demo`: a refund, a void and a bag, each from the first quote to the money.

It builds the library and the example programs, starts a simulated Atlas (real HTTP on the loopback
interface, days of virtual time), and lets a C program and a Python script tell each story. Needs
Rust, a C compiler, make and this Python; nothing is installed.
"""

import os
import subprocess
import sys
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
]


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
    surroundings = {**os.environ, "PYTHONPATH": str(building.PYTHON)}
    with subprocess.Popen([*command, atlas.url, order], stdout=subprocess.PIPE, text=True, env=surroundings) as story:
        assert story.stdout is not None
        for line in story.stdout:
            print(shade(line.rstrip("\n")), flush=True)
    print()
    return story.returncode == 0


def main() -> int:
    if sys.version_info < (3, 10):
        sys.exit("the demo needs Python 3.10 or later")
    print("Building; the first time takes a few minutes.", flush=True)
    building.library(python=True)
    programs = {name: building.program(HERE / f"c/{name}.c") for name in ("void", "refund", "baggage")}
    good = True
    with Simulator(building.target() / "atlas-simulator", "--config", "balance=2000.55") as atlas:
        print(f"\nA simulated Atlas listens at {atlas.url}. Its clock can run: weeks pass in a moment.\n")
        for number, act in enumerate(ACTS, 1):
            print(paint(f"{number}. {act.title}", "1"))
            print(act.opening + "\n")
            good &= tell(atlas, act, [str(programs[act.program])], f"told by C, examples/c/{act.program}.c")
            script = HERE / f"python/{act.program}.py"
            good &= tell(atlas, act, [sys.executable, str(script)], f"told by Python, examples/python/{act.program}.py")
        submits = [row for row in atlas.get("ledger")["entries"] if row["executed"]]
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
