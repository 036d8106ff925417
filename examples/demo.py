"""`make demo`: a refund, a void and a bag, each from the first quote to the money.

It builds the library and the example programs, starts a simulated Atlas (real HTTP on the loopback
interface, days of virtual time), and lets a C program and a Python script tell each story. Needs
Rust, a C compiler and this Python; nothing is installed.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests/support"))

import building  # noqa: E402
from simulator import Simulator  # noqa: E402

STYLE = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def paint(text: str, code: str) -> str:
    return f"\033[{code}m{text}\033[0m" if STYLE else text


ACTS = [
    (
        "void",
        "Plans change within the hour",
        {"fare": "84.70", "passengers": [{"name": "ROSSI/MIA"}], "airline": "FR"},
        [],
    ),
]


def languages() -> dict[str, tuple[str, list[str]]]:
    """What plays each language, with what it needs in front of the file's name."""
    return {"c": ("a C program", [])}


def play(atlas: Simulator, act: str, language: str) -> int:
    order = atlas.order(**{"fare": "84.70"})
    program = [str(building.BUILD / "bin" / act)]
    return subprocess.run([*program, atlas.url, order]).returncode


def main() -> int:
    building.library(quiet=True)
    building.program(HERE / "c/void.c")
    with Simulator(building.target() / "atlas-simulator") as atlas:
        return play(atlas, "void", "c")


if __name__ == "__main__":
    sys.exit(main())
