"""The bindings in examples/ for other runtimes: builds them, and runs the vectors, the programs and the stories.

A runtime that is not here is named as SKIPPED; with APB_REQUIRE_ALL=1 it is a failure.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import building
from building import BUILD, LIB, ROOT
from results import SuiteResult

HOME = BUILD / "runtimes"
BIN = HOME / "bin"
CALLERS = ROOT / "tests/runtimes"
EXAMPLES = ROOT / "examples"
# Where critcl finds the library: include/ and lib/.
PREFIX = HOME / "prefix"
JARS = f"{HOME}/java/classes:{HOME}/java/jars/*"
GO = {"CGO_CFLAGS": f"-I{ROOT}/include", "CGO_LDFLAGS": f"-L{LIB}", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"}
COBOL = ["cobc", "-x", "-fstatic-call", "-w", f"-I{EXAMPLES}/cobol", f"-L{LIB}", "-latlas_postbooking"]
PASCAL = ["fpc", "-v0", "-Mdelphi", f"-FE{BIN}", f"-FU{BIN}", f"-Fl{LIB}", f"-Fu{EXAMPLES}/pascal"]


@dataclass
class Runtime:
    """A runtime: the program that it needs, how it is built, and the commands of its caller and its example."""

    name: str
    tool: str
    caller: list[str]
    void: list[str]
    build: list[list[str]] = field(default_factory=list)
    build_environment: dict[str, str] = field(default_factory=dict)
    # A caller that can have more than one call in flight.
    many: bool = True
    # Why it cannot run; empty if it can.
    skipped: str = ""


def all_runtimes() -> list[Runtime]:
    def file(name: str) -> str:
        return str(CALLERS / name)

    def example(name: str) -> str:
        return str(EXAMPLES / name)

    java_sources = [str(one) for one in sorted((EXAMPLES / "java").rglob("*.java"))]
    java = ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", JARS]
    return [
        Runtime("node", "node", ["node", file("caller.js")], ["node", example("node/void.js")]),
        Runtime(
            "go",
            "go",
            [f"{BIN}/caller-go"],
            [f"{BIN}/void-go"],
            [
                ["go", "build", "-C", example("go"), "-o", f"{BIN}/void-go", "./void"],
                ["go", "build", "-C", file("go"), "-o", f"{BIN}/caller-go", "."],
            ],
            GO,
        ),
        Runtime(
            "java",
            "javac",
            [*java, "Caller"],
            [*java, "VoidOrder"],
            [["javac", "-Xlint:all", "-Werror", "-cp", JARS, "-d", f"{HOME}/java/classes", *java_sources, file("Caller.java")]],
        ),
        Runtime("ruby", "ruby", ["ruby", file("caller.rb")], ["ruby", example("ruby/void.rb")]),
        Runtime("php", "php", ["php", file("caller.php")], ["php", example("php/void.php")]),
        Runtime("perl", "perl", ["perl", file("caller.pl")], ["perl", example("perl/void.pl")]),
        Runtime("luajit", "luajit", ["luajit", file("caller.lua")], ["luajit", example("luajit/void.lua")]),
        Runtime(
            "mono",
            "mcs",
            ["mono", f"{BIN}/caller.exe"],
            ["mono", f"{BIN}/void.exe"],
            [
                ["mcs", f"-out:{BIN}/caller.exe", file("Caller.cs"), example("mono/AtlasPostbooking.cs")],
                ["mcs", f"-out:{BIN}/void.exe", example("mono/Void.cs"), example("mono/AtlasPostbooking.cs")],
            ],
        ),
        Runtime(
            "cobol",
            "cobc",
            [f"{BIN}/caller-cobol"],
            [f"{BIN}/void-cobol"],
            [
                [*COBOL, "-o", f"{BIN}/caller-cobol", file("caller.cob"), example("cobol/atlas-postbooking.cob")],
                [*COBOL, "-o", f"{BIN}/void-cobol", example("cobol/void-order.cob"), example("cobol/atlas-postbooking.cob")],
            ],
            many=False,
        ),
        Runtime("tcl", "tclsh", ["tclsh", file("caller.tcl")], ["tclsh", example("tcl/void.tcl")]),
        # It runs its program only.
        Runtime("pascal", "fpc", [], [f"{BIN}/void"], [[*PASCAL, example("pascal/void.pas")]], many=False),
    ]


def environment() -> dict[str, str]:
    """So that every runtime finds the library, and Node koffi."""
    return {
        **os.environ,
        "LD_LIBRARY_PATH": str(LIB),
        "NODE_PATH": str(HOME / "node/node_modules"),
        "ATLAS_POSTBOOKING_PREFIX": str(PREFIX),
        "LC_ALL": "C.UTF-8",
    }


def prepare(one: Runtime) -> None:
    """Builds a runtime; `skipped` says why it cannot be used. A build that fails is an error of the suite."""
    if shutil.which(one.tool) is None:
        one.skipped = f"no {one.tool}"
        return
    parts = {
        "node": (HOME / "node/node_modules/koffi", "koffi is not installed"),
        "java": (HOME / "java/jars", "JNA is not installed"),
        "perl": (None, "FFI::Platypus is not installed"),
        "tcl": (None, "critcl is not installed"),
    }
    needed, reason = parts.get(one.name, (None, ""))
    probes = {"perl": ["perl", "-MFFI::Platypus", "-e1"], "tcl": ["sh", "-c", "echo 'package require critcl' | tclsh 2>&1 | grep -q . && exit 1; exit 0"]}
    if (needed and not needed.exists()) or (one.name in probes and subprocess.run(probes[one.name], capture_output=True).returncode):
        one.skipped = reason
        return
    for command in one.build:
        done = subprocess.run(command, env=environment() | one.build_environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{one.name} does not build:\n{(done.stdout + done.stderr)[-2000:]}")


@cache
def runtimes() -> list[Runtime]:
    """All runtimes, installed and built, once for a run of the suites."""
    for directory in (BIN, HOME / "java/classes", PREFIX):
        directory.mkdir(parents=True, exist_ok=True)
    for name, target in (("include", ROOT / "include"), ("lib", LIB)):
        if not (PREFIX / name).is_symlink():
            (PREFIX / name).symlink_to(target)
    subprocess.run([str(CALLERS / "install.sh"), str(HOME)], check=False)
    all_of_them = all_runtimes()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(prepare, all_of_them))
    return all_of_them


def usable(result: SuiteResult) -> Iterator[Runtime]:
    """The runtimes that can run; the others are named."""
    for one in runtimes():
        if not one.skipped:
            yield one
            continue
        result.messages.append(f"SKIPPED {one.name}: {one.skipped}")
        if os.environ.get("APB_REQUIRE_ALL") == "1":
            result.failed += 1
        else:
            result.skipped += 1


def in_each(result: SuiteResult, check: Callable[[SuiteResult, Runtime], None]) -> None:
    """Runs a check in all runtimes, two at a time."""

    def guarded(one: Runtime) -> SuiteResult:
        own = SuiteResult(one.name)
        try:
            check(own, one)
        except (RuntimeError, OSError, AssertionError, ValueError, subprocess.SubprocessError) as error:
            own.check(False, f"{one.name}: {type(error).__name__}: {error}")
        return own

    with ThreadPoolExecutor(2) as pool:
        for own in pool.map(guarded, list(usable(result))):
            result.passed += own.passed
            result.failed += own.failed
            result.messages += own.messages


def vectors(result: SuiteResult) -> None:
    """All vectors in all runtimes; prints how many ran in each."""
    callers = {one.name: {"command": one.caller, "environment": {
        key: value for key, value in environment().items() if os.environ.get(key) != value
    }} for one in usable(result) if one.caller}
    path = HOME / "callers.json"
    path.write_text(json.dumps(callers, indent=1))
    more = {"APB_CALLERS": str(path), "APB_LANG": ",".join(callers), "APB_LIB_DIR": str(building.target())}
    command = [str(building.target() / "vectors")]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | more, capture_output=True, text=True, errors="replace")
    lines = done.stdout.strip().splitlines() or [""]
    print("\n".join(f"  {line}" for line in lines if re.match(r"\s*\w+: (\d+ passed|SKIPPED)", line)))
    counted = result.add_counts(lines[-1])
    result.messages += [line[:400] for line in lines if line.startswith("FAILED")][:20]
    if done.returncode != 0 and not (counted and result.failed):
        result.check(False, f"vectors:\n{(done.stdout + done.stderr)[-2000:]}")
