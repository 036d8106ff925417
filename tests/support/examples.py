"""Runs the examples of every language, each with a new simulator: exit code, ledger, and the same output as in C."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import building
from building import BUILD, PYTHON, ROOT
from results import SuiteResult
from simulator import Simulator

PROGRAMS = ("void", "refund", "baggage")
# The submit of each program that moves money.
MONEY = {"void": "void", "refund": "refund", "baggage": "pay"}
# Exit codes of the examples.
DONE, REFUSED, UNRESOLVED = 0, 1, 3
# name: fault, options of the simulator, exit codes by program, submits executed by the ledger.
SCENARIOS: dict[str, tuple[str, str, dict[str, int], int]] = {
    "no fault": ("", "", dict.fromkeys(PROGRAMS, DONE), 1),
    "reply lost": ("drop_after", "", {"void": DONE, "refund": UNRESOLVED, "baggage": DONE}, 1),
    "reply lost, refunds are listed without a code": ("drop_after", "strict", dict.fromkeys(PROGRAMS, DONE), 1),
    "request lost": ("drop_before", "", dict.fromkeys(PROGRAMS, UNRESOLVED), 0),
    "rate limited": ("rate_limit", "", dict.fromkeys(PROGRAMS, REFUSED), 0),
}


def commands(language: str) -> dict[str, list[str]]:
    """The command of each program in a language; builds what is not built by cargo."""
    if language == "python":
        return {name: [sys.executable, str(ROOT / f"examples/python/{name}.py")] for name in PROGRAMS}
    if language == "rust":
        return {name: [str(building.target() / f"example-{name}")] for name in PROGRAMS}
    suffix = {"c": "c", "cpp": "cpp"}[language]
    sources = {name: ROOT / f"examples/{language}/{name}.{suffix}" for name in PROGRAMS}
    return {name: [str(building.program(source, name=f"example-{language}-{name}"))] for name, source in sources.items()}


def run(command: list[str], program: str, fault: str, profile: str) -> tuple[int, str, list[dict[str, Any]]]:
    """Runs one program with a new simulator: exit code, output, and the executed submits in the ledger."""
    binary: Path = building.target() / "atlas-simulator"
    arguments = ["--profile", profile] if profile else []
    with Simulator(binary, "--seed", "7", *arguments) as atlas:
        order = atlas.order(airline="F9", passengers=2, segments=2, fare="84.75")
        if fault:
            atlas.post("faults", endpoint=MONEY[program], mode=fault)
        environment = {**os.environ, "PYTHONPATH": str(PYTHON)}
        command = [*command, atlas.url, order]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
        ledger = atlas.get("ledger")["entries"]
    executed = [row for row in ledger if row["executed"] and row["endpoint"] == MONEY[program]]
    return done.returncode, done.stdout + done.stderr, executed


def check(result: SuiteResult, language: str) -> None:
    """Every program in every scenario; of a completed one also that it prints what the C program prints."""
    reference = commands("c") if language != "c" else {}
    for program, command in commands(language).items():
        for scenario, (fault, profile, codes, expected) in SCENARIOS.items():
            code, output, executed = run(command, program, fault, profile)
            what = f"{language} {program}, {scenario}"
            result.check(code == codes[program], f"{what}: exit code {code} instead of {codes[program]}\n{output}")
            result.check(len(executed) == expected, f"{what}: executed {len(executed)} times")
            result.check("secret" not in output.lower(), f"{what}: prints a secret")
            if reference and code == DONE:
                _, original, _ = run(reference[program], program, fault, profile)
                result.check(output == original, f"{what}: not the output of the C program\n{output}\n---\n{original}")


def demo(result: SuiteResult) -> None:
    script = str(ROOT / "examples/demo.py")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=600)
    output = done.stdout
    message = f"make demo: exit code {done.returncode}\n{output[-800:]}{done.stderr[-800:]}"
    result.check(done.returncode == 0, message)
    for end in ("voided", "refunded", "paid and ticketed"):
        count = len(re.findall(rf"the end +{end}", output))
        result.check(count >= 2, f"make demo prints `{end}` {count} times")
    for sign in ("killed while Atlas was answering", "again +the store has it: unknown", "webhook +order.void"):
        count = len(re.findall(sign, output))
        result.check(count >= 2, f"make demo prints `{sign}` {count} times")
    hosts = re.search(r"the other host went on after \d+ s[\s\S]*the end +refunded|SKIPPED: PostgreSQL", output)
    result.check(hosts is not None, "make demo shows no two hosts")
    result.check("\033" not in output, "make demo prints colours, although its output is not a terminal")
    result.check(str(BUILD) not in output, "make demo prints the path of the build")
