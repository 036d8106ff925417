"""The C and C++ suites, against the shared and the static library, with sanitizers and with valgrind."""

import re
import shutil
import subprocess
from pathlib import Path

import building
from building import BUILD, LIB, ROOT
from hostile import ANSWERS, BEHAVIOURS, Hostile
from simulator import Simulator
from tally import Tally

SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-O1"]
# Only what is certainly lost: the I/O thread lives as long as the process, and so does what it holds.
VALGRIND = ["valgrind", "-q", "--error-exitcode=97", "--leak-check=full", "--errors-for-leak-kinds=definite"]
# Helpers stand in headers, and not every program needs every one.
HELPERS = ["-Wno-unused-function"]
DIALECTS = {"c++11": ["-std=c++11"], "c++17": ["-std=c++17"], "c++23": ["-std=c++23"], "no-exceptions": ["-std=c++17", "-fno-exceptions"]}


def simulator() -> Simulator:
    return Simulator(building.target() / "atlas-simulator")


def run_one(tally: Tally, source: Path, binary: Path, under: list[str] = [], slow: bool = False) -> None:
    """Runs one program with what it needs beside it: a fresh simulator, a hostile server, or neither."""
    name = source.stem
    command = [*under, str(binary)]
    if name == "misuse":
        return tally.program([*command, "2" if slow else "50"], name)
    if name == "hostile":
        with Hostile() as server:
            cases = [*ANSWERS, *BEHAVIOURS, "reset-early"]
            return tally.program([*command, server.url, *cases], name)
    with simulator() as atlas:
        if name == "loading":
            return tally.program([*command, str(LIB / "libatlas_postbooking.so.1"), atlas.url], name)
        threads = ["16", "1"] if slow and name == "threads" else []
        tally.program([*command, atlas.url, *threads], name)


def programs(language: str) -> list[Path]:
    return sorted((ROOT / "tests" / language).glob("*.c*"))


def variants(source: Path) -> dict[str, list[str]]:
    return DIALECTS if source.suffix == ".cpp" else {"c99": []}


def plain(tally: Tally, language: str, static: bool) -> None:
    """Every program in every dialect, against one form of the library."""
    for source in programs(language):
        if source.stem == "loading" and static:
            continue  # it loads the shared library by itself
        for dialect, flags in variants(source).items():
            form = "a" if static else "so"
            binary = building.program(source, flags=[*flags, *HELPERS], static=static, name=f"{source.stem}-{dialect}-{form}")
            run_one(tally, source, binary)


def aborting(tally: Tally) -> None:
    """The C programs again, on a library in which any panic, also a caught one, would end the process.

    No tested path may panic at all: the net that catches panics must not be needed.
    """
    target = building.target().parent / "panic-abort"
    building.cargo("build", "-p", "atlas-postbooking-c", "--config", 'profile.dev.panic="abort"', "--target-dir", str(target))
    place = BUILD / "lib-abort"
    place.mkdir(parents=True, exist_ok=True)
    building.replace(target / "debug/libatlas_postbooking.so", place / "libatlas_postbooking.so.1")
    for source in programs("c"):
        if source.stem != "loading":
            binary = building.program(source, flags=HELPERS, name=f"{source.stem}-abort")
            run_one(tally, source, binary, under=["env", f"LD_LIBRARY_PATH={place}"])


def sanitized(tally: Tally, language: str) -> None:
    for source in programs(language):
        # The loader test has no library of its own to be checked.
        static = source.stem != "loading"
        flags = [*HELPERS, *SANITIZERS]
        binary = building.program(source, flags=flags, static=static, name=f"{source.stem}-san")
        symbols = subprocess.run(["nm", "-D", str(binary)], capture_output=True, text=True).stdout
        tally.check("__asan_init" in symbols, f"{source.stem}: built without the sanitizer")
        run_one(tally, source, binary)


def valgrind(tally: Tally, language: str) -> None:
    if shutil.which("valgrind") is None:
        tally.missing = "no valgrind"
        return
    for source in programs(language):
        # Its short timeouts are shorter than valgrind is slow.
        if source.stem in ("faults", "hostile"):
            continue
        binary = building.program(source, flags=HELPERS, name=f"{source.stem}-vg")
        # A forked child forgets its parent's connections on purpose: closing them would disturb the parent.
        under = [*VALGRIND, "--leak-check=no"] if source.stem in ("fork", "cases") else VALGRIND
        run_one(tally, source, binary, under=under, slow=True)


def exports(tally: Tally) -> None:
    """The shared library shows what the header declares and nothing else, and says its own name."""
    library = LIB / "libatlas_postbooking.so.1"
    shown = subprocess.run(["nm", "-D", "--defined-only", str(library)], capture_output=True, text=True).stdout
    symbols = {line.split()[-1].split("@")[0] for line in shown.splitlines() if line.split()[1] in "TDBRW"}
    header = re.sub(r"/\*.*?\*/", "", (ROOT / "include/atlas_postbooking.h").read_text(), flags=re.DOTALL)
    declared = set(re.findall(r"\b(apb_\w+)\(", header))
    functions = {name for name in symbols if name.startswith("apb_")}
    tally.check(symbols == functions, f"symbols that are not ours are shown: {sorted(symbols - functions)[:10]}")
    tally.check(functions == declared, f"only in one of library and header: {sorted(functions ^ declared)}")
    dynamic = subprocess.run(["readelf", "-d", str(library)], capture_output=True, text=True).stdout
    tally.check("[libatlas_postbooking.so.1]" in dynamic, "the soname is not libatlas_postbooking.so.1")
    tally.check("NODELETE" in dynamic, "the library can be unloaded, although it owns a thread")
    tally.check("__asan_init" not in shown, "the library was built with a sanitizer")


def installed(tally: Tally) -> None:
    """`make install` puts things where pkg-config finds them, and a program builds with what it says."""
    prefix = BUILD / "installed"
    shutil.rmtree(prefix, ignore_errors=True)
    done = subprocess.run(["make", "-s", "install", f"PREFIX={prefix}", "PROFILE=debug"], cwd=ROOT, capture_output=True, text=True)
    tally.check(done.returncode == 0, f"make install: {done.stderr[-500:]}")
    for name in ("include/atlas_postbooking.h", "include/atlas_postbooking.hpp", "lib/libatlas_postbooking.so.1",
                 "lib/libatlas_postbooking.so", "lib/libatlas_postbooking.a", "lib/pkgconfig/atlas_postbooking.pc"):  # fmt: skip
        tally.check((prefix / name).exists(), f"make install leaves out {name}")
    if shutil.which("pkg-config") is None:
        tally.skipped += 1
        return
    words = subprocess.run(
        ["pkg-config", "--cflags", "--libs", "atlas_postbooking"],
        capture_output=True, text=True, env={"PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig"), "PATH": "/usr/bin:/bin"},
    ).stdout.split()  # fmt: skip
    binary = BUILD / "bin/installed-misuse"
    built = subprocess.run(
        ["cc", str(ROOT / "tests/c/misuse.c"), f"-I{ROOT / 'tests/support'}", "-o", str(binary), *words],
        capture_output=True, text=True,
    )  # fmt: skip
    tally.check(built.returncode == 0, f"pkg-config's words do not build: {built.stderr[-500:]}")
    if built.returncode == 0:
        tally.program([str(binary), "1"], "installed misuse", env={"LD_LIBRARY_PATH": str(prefix / "lib")})
