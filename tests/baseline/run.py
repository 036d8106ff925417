#!/usr/bin/env python3
"""Compares baseline clients (common retry loops) with this library under the same faults.

    python tests/baseline/run.py [--submits 500] [--faulty 0.5] [--seed 1] [--json FILE]

Each program gets new orders on simulators with the same seed. A request to the endpoint gets a fault with the
probability `--faulty`, repeated requests too. The result that the program prints (done, failed or unknown) is compared
with the simulator's ledger. The columns count orders for every 10,000 submits:

    sent        the submit arrived complete more than once
    decided     the vendor executed or refused it more than once; a vendor that does not refuse would execute it twice
    executed    executed more than once
    no: wrong   reported as failed, but executed
    yes: wrong  reported as done, but not executed

A second void of an order is refused (816). Every regenerateOrder that arrives makes another order.
The run fails if a row of this library has any of the last four. Standard library only; `requests` is installed
into build/baseline. A program that cannot run is SKIPPED; with APB_REQUIRE_ALL=1 the run then fails.
"""

import argparse
import json
import os
import subprocess
import sys
import time
import venv
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

import building  # noqa: E402
from building import BUILD, ROOT  # noqa: E402
from simulator import Simulator  # noqa: E402

OUT = BUILD / "baseline"
TIMEOUT_MS, DELAY_MS = 150, 300
FIGURES = ["sent", "decided", "executed", "no: wrong", "yes: wrong", "unknown"]
NEVER = FIGURES[1:5]  # must be zero for this library

# endpoint -> (the options of its orders, a documented refusal code)
SCENARIOS: dict[str, tuple[dict[str, Any], int]] = {
    "void": ({"voidable": True}, 822),
    "regenerateOrder": ({"state": "cancelled"}, 301),
}
BY_STATUS, BY_HTTP = "status is 0", "HTTP 200"


class CannotRun(Exception):
    """A program cannot be measured; the reason."""


@dataclass
class Program:
    name: str
    command: list[object]
    # The last argument, after those common to all programs.
    argument: str = ""
    # The criteria by which the program prints a result; one row of the table for each.
    criteria: tuple[str, ...] = (BY_STATUS, BY_HTTP)
    scenarios: tuple[str, ...] = tuple(SCENARIOS)
    ours: bool = False
    missing: str = ""


def families(refusal: int) -> list[list[dict[str, Any]]]:
    """The faults. All families have the same probability, and so have the members of a family."""
    not_executed: dict[str, Any] = {"mode": "reply", "execute": False}
    return [
        [{"mode": "drop_before"}],
        [{"mode": "drop_after"}],
        # Before the reply, in its first line, in its head, in its body.
        [{"mode": "cut", "afterBytes": count} for count in (0, 8, 60, 180, 400)],
        [{"mode": "delay", "delayMs": DELAY_MS}],
        [{"mode": "garbage", "variant": variant} for variant in ("text", "json", "empty")],
        [{"mode": "garbage", "execute": False}],
        [{"mode": "http", "status": 503}],
        [{"mode": "http", "status": 503, "execute": True}],
        [{"mode": "reply", "body": {"status": 9999, "msg": "System error"}}],
        [not_executed | {"body": {"status": 9999, "msg": "System error"}}],
        [not_executed | {"body": {"status": refusal, "msg": "Refused"}}],
    ]


def faults(endpoint: str, share: float) -> Iterator[dict[str, Any]]:
    """The simulator tries the faults in order: each needs its probability given that no earlier one applied."""
    groups = families(SCENARIOS[endpoint][1])
    left = 1.0
    for group in groups:
        for fault in group:
            chance = share / len(groups) / len(group)
            yield fault | {"endpoint": endpoint, "probability": chance / left}
            left -= chance


# Building.


def build() -> list[Program]:
    packages = ["atlas-simulator", "atlas-baseline", "atlas-postbooking-py"]
    building.cargo("build", *(argument for package in packages for argument in ("-p", package)))
    building.lay_out_python()
    OUT.mkdir(parents=True, exist_ok=True)
    python, no_requests = with_requests()
    curl, no_curl = with_curl()
    ours = [sys.executable, HERE / "with_library.py"]
    return [
        Program("Python: requests + urllib3.Retry", [python, HERE / "with_requests.py"], missing=no_requests),
        Program("C: libcurl, one attempt", [curl], "1", missing=no_curl),
        Program("C: libcurl, loop of 3", [curl], "3", missing=no_curl),
        Program("Rust: reqwest, loop of 3", [building.target() / "atlas-baseline"]),
        Program("atlas-postbooking: direct call", ours, "direct", ("outcome",), ours=True),
        Program("atlas-postbooking: case.open", ours, "case", ("outcome",), ("void",), ours=True),
    ]


def with_requests() -> tuple[Path, str]:
    python = OUT / "venv/bin/python"
    if not python.exists():
        venv.create(OUT / "venv", with_pip=True)
    if subprocess.run([python, "-c", "import requests"], capture_output=True).returncode != 0:
        done = subprocess.run([python, "-m", "pip", "install", "-q", "requests"], capture_output=True)
        if done.returncode != 0:
            return python, "requests cannot be installed"
    return python, ""


def with_curl() -> tuple[Path, str]:
    source, out = HERE / "with_curl.c", OUT / "with_curl"
    command = [building.compiler(source), *building.C89_HABITS, *building.WARNINGS, "-O2", str(source)]
    try:
        done = subprocess.run([*command, "-lcurl", "-o", str(out)], capture_output=True, text=True)
    except OSError:
        return out, "no C compiler"
    if "curl/curl.h" in done.stderr or "-lcurl" in done.stderr:
        return out, "no libcurl to build with"
    if done.returncode != 0:
        sys.exit(f"{source.relative_to(ROOT)} does not build:\n{done.stderr}")
    return out, ""


# Running.

# For each criterion of a program: the fault of an order's first submit -> the figures.
Tallies = list[defaultdict[str, Counter[str]]]


def work(program: Program, endpoint: str, count: int, seed: int, faulty: float) -> Tallies:
    """One worker's share of the orders, in sequence, on a simulator of its own: the same seed gives the same faults."""
    with Simulator(building.target() / "atlas-simulator", "--seed", str(seed)) as atlas:
        orders = [atlas.order(**SCENARIOS[endpoint][0]) for _ in range(count)]
        for fault in faults(endpoint, faulty):
            atlas.post("faults", **fault)
        command = [*map(str, program.command), atlas.url, endpoint, str(TIMEOUT_MS), program.argument]
        done = subprocess.run(
            [argument for argument in command if argument],
            input="".join(f"{order}\n" for order in orders),
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONPATH": str(building.PYTHON)},
        )
        if done.returncode == 3 and program.ours:
            raise CannotRun(done.stderr.strip())
        reported = {order: results for order, *results in map(str.split, done.stdout.splitlines())}
        if done.returncode != 0 or set(reported) != set(orders):
            sys.exit(f"{program.name} ended with code {done.returncode}:\n{done.stderr}")
        # Requests whose client has timed out may still be in progress.
        time.sleep(DELAY_MS / 1000)
        requests = [row for row in atlas.get("requests")["requests"] if row["endpoint"] == endpoint]
        return compare(reported, requests, atlas.get("ledger")["entries"], len(program.criteria))


def compare(reported: dict[str, list[str]], requests: list[Any], ledger: list[Any], criteria: int) -> Tallies:
    complete = [(json.loads(row["body"]), row["fault"]) for row in requests if row["bodyComplete"]]
    submits = [(body.get("orderNo") or body.get("originalOrderNo"), fault or "none") for body, fault in complete]
    # In reverse order, so that the first fault of an order is retained.
    first = dict(reversed(submits))
    sent = Counter(order for order, _ in submits)
    decided = Counter(row["orderNo"] for row in ledger)
    executed = Counter(row["orderNo"] for row in ledger if row["executed"])
    tallies: Tallies = [defaultdict(Counter) for _ in range(criteria)]
    for order, results in reported.items():
        for tally, result in zip(tallies, results, strict=True):
            was_executed = executed[order] > 0
            flags = [sent[order] > 1, decided[order] > 1, executed[order] > 1]
            flags += [result == "failed" and was_executed, result == "done" and not was_executed, result == "unknown"]
            figures = tally[first.get(order, "never sent")]
            figures.update({"submits": 1} | dict(zip(FIGURES, map(int, flags), strict=True)))
    return tallies


def rows(program: Program, endpoint: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows of a program: one for each of its criteria."""
    counts = [len(range(worker, options.submits, options.workers)) for worker in range(options.workers)]
    with ThreadPoolExecutor(options.workers) as pool:
        started = [
            pool.submit(work, program, endpoint, count, options.seed * 1000 + worker, options.faulty)
            for worker, count in enumerate(counts)
            if count
        ]
        parts = [one.result() for one in started]
    found = []
    for at, criterion in enumerate(program.criteria):
        by_fault: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for part in parts:
            for fault, figures in part[at].items():
                by_fault[fault].update(figures)
        total = {figure: sum(figures[figure] for figures in by_fault.values()) for figure in FIGURES}
        scaled = {figure: round(number * 10_000 / options.submits) for figure, number in total.items()}
        row = {"program": program.name, "criterion": criterion, "ours": program.ours, "per10000": scaled}
        found.append(row | {"counts": total, "byFirstFault": by_fault})
    return found


def table(found: list[dict[str, Any]]) -> str:
    lines = [["", "done if", *FIGURES]]
    for row in found:
        lines.append([row["program"], row["criterion"], *(f"{row['per10000'][figure]:,}" for figure in FIGURES)])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(f"{cell:{'<' if column < 2 else '>'}{widths[column]}}" for column, cell in enumerate(line)).rstrip()
        for line in lines
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--submits", type=int, default=500, help="submits of each program in each scenario")
    parser.add_argument("--faulty", type=float, default=0.5, help="the share of requests that get a fault")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    programs = build()
    print(f"seed {options.seed}, {options.submits} submits, {options.faulty:.0%} of the requests get a fault;")
    print("orders for every 10,000 submits:")
    scenarios: dict[str, list[dict[str, Any]]] = {}
    skipped: list[str] = []
    for endpoint in SCENARIOS:
        found = scenarios[endpoint] = []
        for program in programs:
            if endpoint not in program.scenarios:
                continue
            try:
                if program.missing:
                    raise CannotRun(program.missing)
                found += rows(program, endpoint, options)
            except CannotRun as reason:
                skipped.append(f"SKIPPED: {endpoint}, {program.name}: {reason}")
        print(f"\n{endpoint}\n{table(found)}", flush=True)
    print("\n".join(["", *skipped]))
    if options.json:
        settings = {key: getattr(options, key) for key in ("seed", "submits", "faulty", "workers")}
        options.json.write_text(json.dumps(settings | {"skipped": skipped, "scenarios": scenarios}, indent=1) + "\n")
    ours = [row for found in scenarios.values() for row in found if row["ours"]]
    violations = [f"{row['program']}: {figure}" for row in ours for figure in NEVER if row["counts"][figure]]
    for violation in violations:
        print(f"FAILED: {violation}")
    return 1 if violations or (skipped and os.environ.get("APB_REQUIRE_ALL") == "1") else 0


if __name__ == "__main__":
    sys.exit(main())
