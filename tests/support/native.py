"""The C and C++ suites with the shared and the static library, with sanitizers, valgrind and panic=abort."""

import re
import shutil
import subprocess
from pathlib import Path

import building
from building import BUILD, LIB, ROOT
from hostile import ANSWERS, BEHAVIOURS, Hostile
from simulator import Simulator
from results import SuiteResult

SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-O1"]
# Only definite leaks: the I/O thread and its memory live as long as the process.
VALGRIND = ["valgrind", "-q", "--error-exitcode=97", "--leak-check=full", "--errors-for-leak-kinds=definite"]
# The helpers are static functions in headers, and no program uses all of them.
HELPERS = ["-Wno-unused-function"]
DIALECTS = {"c++11": ["-std=c++11"], "c++17": ["-std=c++17"], "c++23": ["-std=c++23"], "no-exceptions": ["-std=c++17", "-fno-exceptions"]}


def simulator() -> Simulator:
    return Simulator(building.target() / "atlas-simulator")


def run_one(result: SuiteResult, source: Path, binary: Path, under: list[str] = [], slow: bool = False) -> None:
    """Runs one program, with a new simulator, with the hostile server, or with neither."""
    name = source.stem
    command = [*under, str(binary)]
    if name == "misuse":
        return result.run_program([*command, "2" if slow else "50"], name)
    if name == "hostile":
        with Hostile() as server:
            cases = [*ANSWERS, *BEHAVIOURS, "reset-early"]
            return result.run_program([*command, server.url, *cases], name)
    with simulator() as atlas:
        if name == "loading":
            return result.run_program([*command, str(LIB / "libatlas_postbooking.so.1"), atlas.url], name)
        threads = ["16", "1"] if slow and name == "threads" else []
        result.run_program([*command, atlas.url, *threads], name)


def programs(language: str) -> list[Path]:
    return sorted((ROOT / "tests" / language).glob("*.c*"))


def variants(source: Path) -> dict[str, list[str]]:
    return DIALECTS if source.suffix == ".cpp" else {"c99": []}


def plain(result: SuiteResult, language: str, static: bool) -> None:
    """Every program in every dialect, with the shared or the static library."""
    for source in programs(language):
        if source.stem == "loading" and static:
            continue  # it loads the shared library with dlopen()
        for dialect, flags in variants(source).items():
            form = "a" if static else "so"
            binary = building.program(source, flags=[*flags, *HELPERS], static=static, name=f"{source.stem}-{dialect}-{form}")
            run_one(result, source, binary)


def aborting(result: SuiteResult) -> None:
    """The C programs with a library built with panic=abort, where also a panic that would be caught ends the process.

    So no tested path panics at all.
    """
    target = building.target().parent / "panic-abort"
    building.cargo("build", "-p", "atlas-postbooking-c", "--config", 'profile.dev.panic="abort"', "--target-dir", str(target))
    place = BUILD / "lib-abort"
    place.mkdir(parents=True, exist_ok=True)
    building.replace(target / "debug/libatlas_postbooking.so", place / "libatlas_postbooking.so.1")
    for source in programs("c"):
        if source.stem != "loading":
            binary = building.program(source, flags=HELPERS, name=f"{source.stem}-abort")
            run_one(result, source, binary, under=["env", f"LD_LIBRARY_PATH={place}"])


def sanitized(result: SuiteResult, language: str) -> None:
    for source in programs(language):
        # The loading test links no library, so there is nothing to instrument.
        static = source.stem != "loading"
        flags = [*HELPERS, *SANITIZERS]
        binary = building.program(source, flags=flags, static=static, name=f"{source.stem}-san")
        symbols = subprocess.run(["nm", "-D", str(binary)], capture_output=True, text=True).stdout
        result.check("__asan_init" in symbols, f"{source.stem}: built without the sanitizer")
        run_one(result, source, binary)


def valgrind(result: SuiteResult, language: str) -> None:
    if shutil.which("valgrind") is None:
        result.skip_reason = "no valgrind"
        return
    for source in programs(language):
        # Their time-outs are too short for the speed under valgrind.
        if source.stem in ("faults", "hostile"):
            continue
        binary = building.program(source, flags=HELPERS, name=f"{source.stem}-vg")
        # A forked child leaks its parent's connections on purpose: closing them would end the parent's.
        under = [*VALGRIND, "--leak-check=no"] if source.stem in ("fork", "cases") else VALGRIND
        run_one(result, source, binary, under=under, slow=True)


def exports(result: SuiteResult) -> None:
    """The shared library exports what the header declares and nothing else, and has the right soname."""
    library = LIB / "libatlas_postbooking.so.1"
    exported = subprocess.run(["nm", "-D", "--defined-only", str(library)], capture_output=True, text=True).stdout
    symbols = {line.split()[-1].split("@")[0] for line in exported.splitlines() if line.split()[1] in "TDBRW"}
    header = re.sub(r"/\*.*?\*/", "", (ROOT / "include/atlas_postbooking.h").read_text(), flags=re.DOTALL)
    declared = set(re.findall(r"\b(apb_\w+)\(", header))
    functions = {name for name in symbols if name.startswith("apb_")}
    result.check(symbols == functions, f"foreign symbols are exported: {sorted(symbols - functions)[:10]}")
    result.check(functions == declared, f"only in one of library and header: {sorted(functions ^ declared)}")
    dynamic = subprocess.run(["readelf", "-d", str(library)], capture_output=True, text=True).stdout
    result.check("[libatlas_postbooking.so.1]" in dynamic, "the soname is not libatlas_postbooking.so.1")
    result.check("NODELETE" in dynamic, "the library can be unloaded, although its thread runs in it")
    result.check("__asan_init" not in exported, "the library was built with a sanitizer")


INSTALLED = [
    "include/atlas_postbooking.h", "include/atlas_postbooking.hpp", "lib/libatlas_postbooking.so.1",
    "include/atlas_postbooking.ffi.h", "share/atlas_postbooking/abi.json",
    "lib/libatlas_postbooking.so", "lib/libatlas_postbooking.a", "lib/pkgconfig/atlas_postbooking.pc",
    "lib/cmake/atlas_postbooking/atlas_postbookingConfig.cmake",
    "lib/cmake/atlas_postbooking/atlas_postbookingConfigVersion.cmake",
]  # fmt: skip

CMAKE_PROJECT = """\
cmake_minimum_required(VERSION 3.10)
project(host C CXX)
find_package(atlas_postbooking {version} CONFIG REQUIRED)
add_executable(host-shared main.c)
target_link_libraries(host-shared atlas_postbooking::shared)
add_executable(host-static main.c)
target_link_libraries(host-static atlas_postbooking::static)
add_executable(host-cpp main.cpp)
target_link_libraries(host-cpp atlas_postbooking::shared)
"""

HOST = """\
#include "atlas_postbooking.h"
#include <stdio.h>
int main(void) { return apb_abi_version() == APB_ABI_VERSION && printf("%s\\n", apb_version()) > 0 ? 0 : 1; }
"""

CPP_HOST = """\
#include "atlas_postbooking.hpp"
int main() { return apb::abi_matches() && apb::Queue() ? 0 : 1; }
"""


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", "-s", *arguments, "PROFILE=debug"], cwd=ROOT, capture_output=True, text=True)


def installed(result: SuiteResult) -> None:
    """`make install` installs what pkg-config and CMake describe, in a folder that may be moved; programs build with it;
    `make uninstall` leaves nothing."""
    first, prefix = BUILD / "installed-first", BUILD / "installed"
    shutil.rmtree(first, ignore_errors=True)
    shutil.rmtree(prefix, ignore_errors=True)
    done = make("install", f"PREFIX={first}")
    result.check(done.returncode == 0, f"make install: {done.stderr[-500:]}")
    first.rename(prefix)
    for name in INSTALLED:
        result.check((prefix / name).exists(), f"make install leaves out {name}")
    with_pkg_config(result, prefix)
    with_cmake(result, prefix)
    elsewhere = BUILD / "installed-elsewhere"
    shutil.rmtree(elsewhere, ignore_errors=True)
    places = [f"DESTDIR={elsewhere}", "PREFIX=/usr", "LIBDIR=/usr/lib/x86_64-linux-gnu"]
    done = make("install", *places)
    file = elsewhere / "usr/lib/x86_64-linux-gnu/pkgconfig/atlas_postbooking.pc"
    result.check(done.returncode == 0 and "${pcfiledir}/../../../include" in file.read_text(), f"LIBDIR: {done.stderr[-500:]}")
    done = make("uninstall", *places)
    left = [str(path) for path in elsewhere.rglob("*") if not path.is_dir()]
    result.check(done.returncode == 0 and left == [], f"make uninstall leaves {left}")


def with_pkg_config(result: SuiteResult, prefix: Path) -> None:
    if shutil.which("pkg-config") is None:
        result.skipped += 1
        return
    environment = {"PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig"), "PATH": "/usr/bin:/bin"}
    for static in ([], ["--static"]):
        command = ["pkg-config", "--cflags", "--libs", *static, "atlas_postbooking"]
        options = subprocess.run(command, capture_output=True, text=True, env=environment).stdout.split()
        if static:
            result.check("-lgcc_s" not in options, "pkg-config --static wants libgcc_s")
            options = ["-l:libatlas_postbooking.a" if option == "-latlas_postbooking" else option for option in options]
        binary = BUILD / f"bin/installed-misuse{'-static' if static else ''}"
        command = ["cc", str(ROOT / "tests/c/misuse.c"), f"-I{ROOT / 'tests/support'}", "-o", str(binary), *options]
        built = subprocess.run(command, capture_output=True, text=True)
        result.check(built.returncode == 0, f"a program does not build with pkg-config's flags: {built.stderr[-500:]}")
        if built.returncode == 0:
            result.run_program([str(binary), "1"], "installed misuse", env={"LD_LIBRARY_PATH": str(prefix / "lib")})


def with_cmake(result: SuiteResult, prefix: Path) -> None:
    if shutil.which("cmake") is None:
        result.skipped += 1
        return
    project = BUILD / "cmake-host"
    shutil.rmtree(project, ignore_errors=True)
    project.mkdir(parents=True)
    (project / "main.c").write_text(HOST)
    (project / "main.cpp").write_text(CPP_HOST)

    def configure(version: str) -> subprocess.CompletedProcess[str]:
        (project / "CMakeLists.txt").write_text(CMAKE_PROJECT.format(version=version))
        shutil.rmtree(project / "build", ignore_errors=True)
        command = ["cmake", "-S", str(project), "-B", str(project / "build"), f"-DCMAKE_PREFIX_PATH={prefix}"]
        return subprocess.run(command, capture_output=True, text=True)

    refused = configure("99.0")
    result.check(refused.returncode != 0 and "99.0" in refused.stderr, "CMake accepts a newer version than is there")
    found = configure("")
    result.check(found.returncode == 0, f"CMake does not find the package: {found.stderr[-500:]}")
    built = subprocess.run(["cmake", "--build", str(project / "build")], capture_output=True, text=True)
    result.check(built.returncode == 0, f"CMake does not build: {built.stdout[-500:]}{built.stderr[-500:]}")
    for name in ("host-shared", "host-static", "host-cpp") if built.returncode == 0 else ():
        ran = subprocess.run([str(project / "build" / name)], capture_output=True, text=True)
        result.check(ran.returncode == 0, f"{name} ends with {ran.returncode}: {ran.stderr[-300:]}")
    linked = subprocess.run(["ldd", str(project / "build/host-static")], capture_output=True, text=True).stdout
    result.check("atlas_postbooking" not in linked, "host-static wants the shared library")
