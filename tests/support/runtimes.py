"""The bindings in examples/ for other runtimes: builds them, and runs the vectors, the programs and the stories.

A runtime that is not here is named as SKIPPED; with APB_REQUIRE_ALL=1 it is a failure. With APB_PREFIX, an unpacked
archive of a release, everything is taken from there.
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
from building import BUILD, ROOT
from results import SuiteResult

RELEASE = os.environ.get("APB_PREFIX", "")
# Where critcl finds the library: include/ and lib/.
PREFIX = Path(RELEASE or BUILD / "runtimes/prefix")
LIB = PREFIX / "lib"
EXAMPLES = PREFIX / "share/atlas_postbooking/examples" if RELEASE else ROOT / "examples"
SIMULATOR = PREFIX / "share/atlas_postbooking/simulator/atlas-simulator" if RELEASE else building.target() / "atlas-simulator"
CALLERS = ROOT / "tests/runtimes"
# What install.sh has installed, and what is built.
HOME = BUILD / "runtimes"
BIN = HOME / "bin"
GUIDE = HOME / ("guide-release" if RELEASE else "guide")
JARS = f"{HOME}/java/classes:{HOME}/java/jars/*"
GO = {"CGO_CFLAGS": f"-I{PREFIX}/include", "CGO_LDFLAGS": f"-L{LIB}", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"}
COBOL = ["cobc", "-x", "-fstatic-call", "-w", f"-I{EXAMPLES}/cobol", f"-L{LIB}", "-latlas_postbooking"]
# Runtimes without a binding, and the program that each needs.
LINES_ONLY = {"fortran": "gfortran", "ada": "gnatmake", "erlang": "erlc", "r": "R"}
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
    # Another version of a runtime, which has the stories only.
    is_variant: bool = False
    # No binding, but lines in the guide.
    lines_only: bool = False
    # Why it cannot run, and the errors of its build; empty if there are none.
    skipped: str = ""
    broken: str = ""


def all_runtimes() -> list[Runtime]:
    def file(name: str) -> str:
        return str(CALLERS / name)

    def example(name: str) -> str:
        return str(EXAMPLES / name)

    flags = ["-Xshare:auto", "-XX:TieredStopAtLevel=1"]
    java = ["java", *flags, "-cp", JARS]
    programs = [example("java/VoidOrder.java"), file("Caller.java")]
    # One thread carries all virtual threads: one that were pinned would stop the others.
    virtual = ["-Djdk.virtualThreadScheduler.parallelism=1", "-Djdk.virtualThreadScheduler.maxPoolSize=1"]
    later = later_jdk()
    java21 = [f"{later}/bin/java", "--enable-native-access=ALL-UNNAMED", *flags, *virtual, "-cp"]
    java22 = [*java21, without_jna(f"{HOME}/java/classes22")]
    javac22 = [f"{later}/bin/javac", "--release", "22", "-Xlint:all", "-Werror", "-cp", without_jna(), "-d", f"{HOME}/java/classes22"]
    return [
        Runtime("node", "node", ["node", "--expose-gc", file("caller.js")], ["node", example("node/void.js")]),
        Runtime(
            "go",
            "go",
            [f"{BIN}/caller-go"],
            [f"{BIN}/void-go"],
            [
                # Go 1.19 has no -C.
                ["sh", "-c", f"cd {example('go')} && go build -o {BIN}/void-go ./void"],
                ["sh", "-c", f"cd {file('go')} && go build -o {BIN}/caller-go ."],
            ],
            GO,
        ),
        Runtime(
            "java",
            "javac",
            [*java, "Caller"],
            [*java, "VoidOrder"],
            [["javac", "-Xlint:all", "-Werror", "-cp", JARS, "-d", f"{HOME}/java/classes", *java_sources(), *programs]],
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
        Runtime(
            "pascal",
            "fpc",
            [f"{BIN}/caller"],
            [f"{BIN}/void"],
            [[*PASCAL, example("pascal/void.pas")], [*PASCAL, file("caller.pas")]],
            many=False,
        ),
        # java.lang.foreign in the place of JNA.
        Runtime(
            "java22",
            f"{later}/bin/javac",
            [*java22, "Caller"],
            [*java22, "VoidOrder"],
            [[*javac22, *java_sources(foreign=True), *programs]],
        ),
        # The classes of Java 17 in a later one, for its virtual threads.
        Runtime("java21", f"{later}/bin/java", [*java21, JARS, "Caller"], [], is_variant=True),
        *(Runtime(name, tool, [], [], lines_only=True) for name, tool in LINES_ONLY.items()),
    ]


def later_jdk() -> str:
    """The folder of the newest JDK of version 22 or later; else of one that is not there."""
    versions = [
        (int(found.group(1)), str(path.parents[1]))
        for path in Path("/usr/lib/jvm").glob("*/bin/javac")
        if (found := re.search(r"-(\d\d)(?:\D|$)", path.parts[4]))
    ]
    version, path = max(versions, default=(0, ""))
    return path if version >= 22 else "JDK 22 or later: "


def java_sources(*, foreign: bool = False) -> list[str]:
    """The binding for Java 17, over JNA, or the one over java.lang.foreign, which has one class in another place."""
    home = EXAMPLES / "java/src/main"
    files = {one.name: str(one) for one in sorted((home / "java").rglob("*.java"))}
    return list((files | {one.name: str(one) for one in (home / "java22").rglob("*.java")} if foreign else files).values())


def without_jna(*classes: str) -> str:
    """A class path of what Maven brought but JNA."""
    return ":".join([*classes, *(str(one) for one in (HOME / "java/jars").glob("*.jar") if not one.name.startswith("jna-"))])


def environment() -> dict[str, str]:
    """So that every runtime finds the library, and Node koffi."""
    return {
        **os.environ,
        "LD_LIBRARY_PATH": str(LIB),
        "NODE_PATH": str(HOME / "node/node_modules"),
        "ATLAS_POSTBOOKING_PREFIX": str(PREFIX),
        "LC_ALL": "C.UTF-8",
    }


@cache
def erlang_headers() -> str:
    """The folder of erl_nif.h; of nothing where there is no Erlang."""
    if shutil.which("erl") is None:
        return ""
    ask = ["erl", "-noshell", "-eval", "io:put_chars(code:root_dir())", "-s", "init", "stop"]
    return subprocess.run(ask, capture_output=True, text=True, timeout=60).stdout + "/usr/include"


def why_not(one: Runtime) -> str:
    """Why a runtime cannot be used; empty if it can."""
    if shutil.which(one.tool) is None:
        return f"no {one.tool}"
    critcl = "echo 'puts [catch {package require critcl; package require json}]' | tclsh | grep -q 0"
    needed = {
        "node": (["test", "-d", f"{HOME}/node/node_modules/koffi"], "koffi is not installed"),
        "java": (["test", "-d", f"{HOME}/java/jars"], "JNA is not installed"),
        "java22": (["test", "-d", f"{HOME}/java/jars"], "Gson is not installed"),
        "erlang": (["test", "-e", f"{erlang_headers()}/erl_nif.h"], "erlang-dev is not installed"),
        "perl": (["perl", "-MFFI::Platypus", "-e1"], "FFI::Platypus is not installed"),
        "tcl": (["sh", "-c", critcl], "critcl or tcllib is not installed"),
    }
    command, reason = needed.get(one.name, (["true"], ""))
    return reason if subprocess.run(command, capture_output=True).returncode != 0 else ""


def build(one: Runtime) -> None:
    for command in one.build:
        done = subprocess.run(command, env=environment() | one.build_environment, capture_output=True, text=True)
        if done.returncode != 0:
            one.broken = f"{one.name} does not build:\n{(done.stdout + done.stderr)[-2000:]}"


@cache
def installed() -> list[Runtime]:
    """All runtimes, after what is missing was installed, once for a run of the suites."""
    for directory in (BIN, HOME / "java/classes", HOME / "java/classes22", PREFIX):
        directory.mkdir(parents=True, exist_ok=True)
    for name, target in (("include", ROOT / "include"), ("lib", building.LIB)):
        if not RELEASE and not (PREFIX / name).is_symlink():
            (PREFIX / name).symlink_to(target)
    # The suite of the archive has done so, where npm and Maven find their folders.
    if not RELEASE:
        subprocess.run([str(CALLERS / "install.sh"), str(HOME)], check=False)
    all_of_them = all_runtimes()
    for one in all_of_them:
        one.skipped = why_not(one)
    return all_of_them


@cache
def built() -> list[Runtime]:
    """The same, built."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(build, [one for one in bindings() if not one.skipped]))
    return bindings()


def bindings() -> list[Runtime]:
    return [one for one in installed() if not one.lines_only]


def usable(result: SuiteResult, of: list[Runtime]) -> Iterator[Runtime]:
    """The runtimes that can run; the others are named."""
    for one in of:
        if one.skipped:
            skip(result, f"{one.name}: {one.skipped}")
        elif one.broken:
            result.check(False, one.broken)
        else:
            yield one


def skip(result: SuiteResult, what: str) -> None:
    """Names what cannot run; with APB_REQUIRE_ALL=1 that is a failure."""
    result.messages.append(f"SKIPPED {what}")
    if os.environ.get("APB_REQUIRE_ALL") == "1":
        result.failed += 1
    else:
        result.skipped += 1


def in_each(result: SuiteResult, check: Callable[[SuiteResult, Runtime], None], of: list[Runtime]) -> None:
    """Runs a check in runtimes, two at a time."""

    def guarded(one: Runtime) -> SuiteResult:
        own = SuiteResult(one.name)
        try:
            check(own, one)
        except (RuntimeError, OSError, AssertionError, ValueError, subprocess.SubprocessError) as error:
            own.check(False, f"{one.name}: {type(error).__name__}: {error}")
        return own

    with ThreadPoolExecutor(2) as pool:
        for own in pool.map(guarded, list(usable(result, of))):
            result.passed += own.passed
            result.failed += own.failed
            result.messages += own.messages


def vectors(result: SuiteResult) -> None:
    """All vectors in all runtimes; prints how many ran in each."""
    callers = {one.name: {"command": one.caller, "environment": {
        key: value for key, value in environment().items() if os.environ.get(key) != value
    }} for one in usable(result, built()) if one.caller and not one.is_variant}
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
