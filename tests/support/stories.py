"""The examples of every language, told in a fresh world each: the same story, the same end, and the
vendor's ledger as the witness."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import building
from building import BUILD, PYTHON, ROOT
from simulator import Simulator
from tally import Tally

ACTS = ("void", "refund", "baggage")
# The submit of each act that moves money.
MONEY = {"void": "void", "refund": "refund", "baggage": "pay"}
SETTLED, REFUSED, UNSETTLED = 0, 1, 3
# name: faults, switches of the simulator, exit codes by act, submits carried out by the ledger.
SCENES: dict[str, tuple[str, str, dict[str, int], int]] = {
    "as it should be": ("", "", dict.fromkeys(ACTS, SETTLED), 1),
    "the answer is lost": ("drop_after", "", {"void": SETTLED, "refund": UNSETTLED, "baggage": SETTLED}, 1),
    "lost, but refunds are listed": ("drop_after", "strict", {"void": SETTLED, "refund": SETTLED, "baggage": SETTLED}, 1),
    "the request is lost": ("drop_before", "", dict.fromkeys(ACTS, UNSETTLED), 0),
    "too many requests": ("rate_limit", "", dict.fromkeys(ACTS, REFUSED), 0),
}


def commands(language: str) -> dict[str, list[str]]:
    """How each act is played in a language; builds what must be built."""
    if language == "python":
        return {act: [sys.executable, str(ROOT / f"examples/python/{act}.py")] for act in ACTS}
    if language == "rust":
        return {act: [str(building.target() / f"example-{act}")] for act in ACTS}
    suffix = {"c": "c", "cpp": "cpp"}[language]
    sources = {act: ROOT / f"examples/{language}/{act}.{suffix}" for act in ACTS}
    return {act: [str(building.program(source, name=f"example-{language}-{act}"))] for act, source in sources.items()}


def tell(command: list[str], act: str, mode: str, profile: str) -> tuple[int, str, list[dict[str, Any]]]:
    """One story in one world: its exit code, its words, and what the ledger says was carried out."""
    binary: Path = building.target() / "atlas-simulator"
    arguments = ["--profile", profile] if profile else []
    with Simulator(binary, "--seed", "7", *arguments) as atlas:
        order = atlas.order(airline="F9", passengers=2, segments=2, fare="84.75")
        if mode:
            atlas.post("faults", endpoint=MONEY[act], mode=mode)
        surroundings = {**os.environ, "PYTHONPATH": str(PYTHON)}
        done = subprocess.run([*command, atlas.url, order], capture_output=True, text=True, timeout=120, env=surroundings)
        ledger = atlas.get("ledger")["entries"]
    carried_out = [row for row in ledger if row["executed"] and row["endpoint"] == MONEY[act]]
    return done.returncode, done.stdout + done.stderr, carried_out


def check(tally: Tally, language: str) -> None:
    """Every act in every scene; and the words are those of the C program."""
    reference = commands("c") if language != "c" else {}
    for act, command in commands(language).items():
        for scene, (mode, profile, codes, executed) in SCENES.items():
            code, words, carried_out = tell(command, act, mode, profile)
            what = f"{language} {act}, {scene}"
            tally.check(code == codes[act], f"{what}: exit code {code} instead of {codes[act]}\n{words}")
            tally.check(len(carried_out) == executed, f"{what}: carried out {len(carried_out)} times")
            tally.check("secret" not in words.lower(), f"{what}: a secret is told")
            if reference and code == SETTLED:
                _, original, _ = tell(reference[act], act, mode, profile)
                tally.check(words == original, f"{what}: not the story that C tells\n{words}\n---\n{original}")


def demo(tally: Tally) -> None:
    done = subprocess.run([sys.executable, str(ROOT / "examples/demo.py")], capture_output=True, text=True, timeout=600)
    told = done.stdout
    tally.check(done.returncode == 0, f"make demo ends with {done.returncode}\n{told[-800:]}{done.stderr[-800:]}")
    for end in ("voided", "refunded", "paid and ticketed"):
        count = len(re.findall(rf"the end +{end}", told))
        tally.check(count >= 2, f"make demo tells {count} times `{end}`")
    for sign in ("killed while Atlas was answering", "again +the store has it: sending", "webhook +order.void"):
        count = len(re.findall(sign, told))
        tally.check(count >= 2, f"make demo tells {count} times `{sign}`")
    tally.check("\033" not in told, "make demo colours what is not a terminal")
    tally.check(str(BUILD) not in told, "make demo tells where it was built")
