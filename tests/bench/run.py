#!/usr/bin/env python3
"""`make bench`: compares atlas-postbooking with common HTTP clients, as ratios.

All clients use one loopback server and run in alternating rounds, because the speed of a machine varies
over time; clients measured in turn have the same conditions. The tables have the medians of the rounds and
the ratios to a client of the same language. Instructions, system calls and allocations are differences
between a run of N calls and one of 2N, so that they do not contain the start-up.

Standard library only. Missing tools are installed with apt-get and pip; all output is in build/bench.
`--rounds`, `--calls` and `--only TABLE` make a run shorter, `--write` writes the tables and what they say about the
targets into docs/performance.md.
"""

import argparse
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import flight
import tables
from clients import server
from programs import PACKAGES, PYTHON, ROOT, build, run
from tables import Table
from targets import against

PAGE = ROOT / "docs/performance.md"

TABLES: dict[str, tuple[str, Callable[..., Table]]] = {
    "calls": ("Sequential calls on a persistent connection, client on one CPU, server on another", tables.sequential),
    "free": ("The same, client not pinned to a CPU", tables.unpinned),
    "submits": ("A submit: every call on a connection of its own", tables.submits),
    "flight": ("Many calls in flight", flight.in_flight),
    "list": ("A list of 13,000 orders, 5 MB", tables.lists),
    "stores": ("Cases in a store", flight.stores),
    "counts": ("Instructions, system calls and allocations of one call", tables.counts),
    "decode": ("Decoding a reply, without network", tables.decode),
    "loading": ("Size and start-up", tables.loading),
}


def machine(options) -> str:
    text = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", text)
    curl = run("curl-config", "--version").split()[-1]
    packages = run(PYTHON, "-m", "pip", "list", "--format=freeze").split()
    versions = ", ".join(line.replace("==", " ") for line in packages if line.split("==")[0] in PACKAGES)
    commit = run("git", "rev-parse", "--short", "HEAD", cwd=ROOT).strip()
    changed = " and changes" if run("git", "status", "--porcelain", "--untracked-files=no", cwd=ROOT).strip() else ""
    return (
        f"Commit {commit}{changed}, {options.rounds} rounds of {options.calls:,} calls. "
        f"{os.cpu_count()} CPUs ({model[1] if model else '?'}), Linux {os.uname().release.split('-')[0]}, {run('rustc', '--version').split(' (')[0]}, "
        f"libcurl {curl}, yyjson 0.10.0, Python {sys.version.split()[0]}, {versions}."
    )


def between(text: str, name: str, content: str) -> str:
    """Replaces what stands between the marks of this name."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, rest = text.split(begin)
    return before + begin + "\n" + content + "\n" + end + rest.split(end)[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--only", choices=TABLES, action="append")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    build()
    parts = [machine(options)]
    numbers: dict[str, float] = {}
    with server() as url:
        for name, (title, table) in TABLES.items():
            if options.only is None or name in options.only:
                text, found = table(url, options)
                numbers |= found
                parts.append(f"### {title}\n\n{text}")
                print(parts[-1] + "\n", flush=True)
    print(against(numbers))
    if options.write:
        page = between(PAGE.read_text(), "bench", "\n\n".join(parts))
        PAGE.write_text(between(page, "targets", against(numbers)))


if __name__ == "__main__":
    main()
