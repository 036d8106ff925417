"""Calls in a process that has no threads, descriptors or memory left, from each step on and with each number left."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import building
from building import ROOT
from results import SuiteResult
from simulator import Simulator

# What a host must never read: words of a panic, paths of the build.
FOREIGN = ("panick", ".rs:", "/registry/", "RUST_BACKTRACE", "memory allocation")
MOST = {"threads": 5, "descriptors": 14, "memory": 24}


def experiments() -> Iterator[list[str]]:
    for limit, most in MOST.items():
        for flow in ("direct", "case", "queue"):
            for step in range(4 if flow == "case" else 3):
                for left in range(most):
                    yield [limit, flow, str(step), str(left)]


def check(result: SuiteResult) -> None:
    """Each experiment is a process of its own, by the vendor's address and by a name that is looked up."""
    binary = building.program(ROOT / "tests/limits/limits.c", flags=["-Wno-unused-function"], name="limits")
    with Simulator(building.target() / "atlas-simulator") as atlas:
        for url in (atlas.url, atlas.url.replace("127.0.0.1", "localhost")):
            for experiment in experiments():
                run(result, [str(binary), url, atlas.url, *experiment], f"{' '.join(experiment)} {url.split('/')[2].split(':')[0]}")


def run(result: SuiteResult, command: list[str], name: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60)
    except subprocess.TimeoutExpired:
        return result.check(False, f"{name}: did not end")
    lines = done.stdout.strip().splitlines() or [""]
    counted = result.add_counts(lines[-1])
    faults = [line for line in lines[:-1] if line.startswith("FAILED")]
    if faults or not counted or done.returncode:
        result.check(bool(faults), f"{name}: ended with {done.returncode}")
        result.messages += [f"{name}: {line}" for line in faults] + [f"  {line[:300]}" for line in lines[:-1] if line not in faults]
    result.check(done.stderr == "", f"{name}: printed {done.stderr[:300]}")
    result.check(not any(word in done.stdout for word in FOREIGN), f"{name}: words of a panic or the build: {done.stdout[:2000]}")
