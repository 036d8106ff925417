"""Builds what the demo and the suites run: the library with cargo, C and C++ programs with the compiler.

Standard library only. Everything is written to build/, except cargo's own target directory.
"""

import filecmp
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
LIB = BUILD / "lib"
PYTHON = BUILD / "python"
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
C89_HABITS = ["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-Wdeclaration-after-statement", "-Wstrict-prototypes"]
# System libraries that the static library needs, from `rustc --print native-static-libs`.
NATIVE = ["-lpthread", "-ldl", "-lm", "-lgcc_s", "-lc", "-lrt", "-lutil"]


def target() -> Path:
    """The directory of cargo's development build."""
    base = Path(os.environ.get("CARGO_TARGET_DIR", "target"))
    return (base if base.is_absolute() else ROOT / base) / "debug"


def cargo(*args: str, quiet: bool = False) -> None:
    """Runs cargo, and exits if it fails; its own output says why."""
    command = ["cargo", *args]
    done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE if quiet else None, text=True)
    if done.returncode != 0:
        sys.exit(f"{done.stderr or ''}\n`{' '.join(command)}` failed")


def library(*, python: bool = False, quiet: bool = False) -> None:
    """Builds library, simulator and, with `python`, the Python module, and copies them to build/."""
    packages = ["-p", "atlas-postbooking-c", "-p", "atlas-simulator"]
    cargo("build", *packages, *(["-p", "atlas-postbooking-py"] if python else []), quiet=quiet)
    lay_out_library()
    if python:
        lay_out_python()


def lay_out_library() -> None:
    """build/lib: the names that a linker (.so) and a loader (.so.1) look for, and the archive."""
    LIB.mkdir(parents=True, exist_ok=True)
    replace(target() / "libatlas_postbooking.so", LIB / "libatlas_postbooking.so.1")
    replace(target() / "libatlas_postbooking.a", LIB / "libatlas_postbooking.a")
    link = LIB / "libatlas_postbooking.so"
    if not link.is_symlink():
        link.symlink_to("libatlas_postbooking.so.1")


def lay_out_python() -> None:
    """build/python: the package with the module that cargo built, importable without pip."""
    package = PYTHON / "atlas_postbooking"
    shutil.copytree(
        ROOT / "py/python/atlas_postbooking",
        package,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("*.so", "__pycache__"),
        copy_function=copy_changed,
    )
    replace(target() / "lib_native.so", package / "_native.abi3.so")


def copy_changed(source: str, destination: str) -> str:
    """Replaces a file that is not the same already."""
    if not (os.path.exists(destination) and filecmp.cmp(source, destination, shallow=False)):
        replace(Path(source), Path(destination))
    return destination


def replace(source: Path, destination: Path) -> None:
    """Replaces a file by a rename: a program that has the old one mapped must not see it change."""
    new = destination.with_name(f"{destination.name}.{os.getpid()}.new")
    shutil.copy2(source, new)
    os.replace(new, destination)


def compiler(source: Path) -> str:
    """The compiler of a source file; CC and CXX override it."""
    return os.environ.get("CXX", "c++") if source.suffix == ".cpp" else os.environ.get("CC", "cc")


def program(source: Path, *, flags: list[str] = [], static: bool = False, name: str = "") -> Path:
    """Compiles one file to a program against the shared or the static library."""
    out = BUILD / "bin" / (name or source.stem)
    out.parent.mkdir(parents=True, exist_ok=True)
    dialect = [] if any(flag.startswith("-std=") for flag in flags) else ["-std=c++11"]
    dialect = dialect if source.suffix == ".cpp" else C89_HABITS
    link = [str(LIB / "libatlas_postbooking.a"), *NATIVE]
    if not static:
        # So that the program finds the library without LD_LIBRARY_PATH.
        link = [f"-L{LIB}", "-latlas_postbooking", f"-Wl,-rpath,{LIB}"]
    includes = [f"-I{ROOT / 'include'}", f"-I{ROOT / 'tests/support'}"]
    command = [compiler(source), *dialect, *WARNINGS, "-g", "-pthread", *includes, *flags, str(source)]
    done = subprocess.run([*command, "-o", str(out), *link, "-ldl"], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{source.relative_to(ROOT)} does not build:\n{done.stderr}")
    return out
