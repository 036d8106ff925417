"""Where the programs of the benchmarks are, and how they are installed and built: everything goes to build/bench."""

import os
import shutil
import subprocess
import sys
import tarfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "tests/bench"
OUT = ROOT / "build/bench"
PYTHON = OUT / "venv/bin/python"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
YYJSON = "4.0.6"  # version of the Python package that contains the C source (yyjson 0.10.0)
PACKAGES = ["requests", "httpx", "pyreqwest", "aiohttp"]
CLIENT_CPU, SERVER_CPU = 0, max(os.sched_getaffinity(0))


def run(*command: object, **options) -> str:
    """The output of a program. If it fails, this one exits."""
    arguments = [str(argument) for argument in command]
    done = subprocess.run(arguments, capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def install() -> None:
    tools = {"valgrind": "valgrind", "strace": "strace", "cc": "gcc", "c++": "g++", "readelf": "binutils"}
    missing = [package for tool, package in tools.items() if shutil.which(tool) is None]
    for header, package in {"curl/curl.h": "libcurl4-openssl-dev", "cjson/cJSON.h": "libcjson-dev"}.items():
        found = subprocess.run(["cc", "-E", "-x", "c", "-"], input=f"#include <{header}>", text=True, capture_output=True)
        if found.returncode != 0:
            missing.append(package)
    if missing:
        run("apt-get", "install", "-y", "--no-install-recommends", *missing)
    if not PYTHON.exists():
        venv.create(OUT / "venv", with_pip=True)
    run(PYTHON, "-m", "pip", "install", "--quiet", *PACKAGES)
    source = OUT / "yyjson"
    if not (source / "yyjson.c").exists():
        run(PYTHON, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "yyjson", f"yyjson=={YYJSON}", "-d", OUT)
        source.mkdir(exist_ok=True)
        with tarfile.open(OUT / f"yyjson-{YYJSON}.tar.gz") as archive:
            for name in ("yyjson.c", "yyjson.h"):
                packed = archive.extractfile(f"yyjson-{YYJSON}/yyjson/{name}")
                (source / name).write_bytes(packed.read() if packed else b"")


def build() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    install()
    packages = ["atlas-postbooking-c", "atlas-postbooking-py", "atlas-bench"]
    selection = [argument for package in packages for argument in ("-p", package)]
    subprocess.run(["cargo", "build", "--release", *selection], cwd=ROOT, check=True)
    shutil.copy2(TARGET / "libatlas_postbooking.so", OUT / "libatlas_postbooking.so.1")
    shutil.copy2(TARGET / "libatlas_postbooking.so", OUT / "libatlas_postbooking.so")
    package = OUT / "python/atlas_postbooking"
    shutil.copytree(ROOT / "py/python/atlas_postbooking", package, dirs_exist_ok=True)
    shutil.copy2(TARGET / "lib_native.so", package / "_native.abi3.so")

    yyjson = OUT / "yyjson.o"
    run("cc", "-O3", "-c", OUT / "yyjson/yyjson.c", "-o", yyjson)
    flags = ["-O2", "-Wall", "-Wextra", "-Werror", f"-I{OUT / 'yyjson'}", f"-I{ROOT / 'include'}"]
    ours = [f"-L{OUT}", "-latlas_postbooking", f"-Wl,-rpath,{OUT}"]

    def program(name: str, source: str, *more: object) -> None:
        compiler = "c++" if source.endswith(".cpp") else "cc"
        run(compiler, *flags, HERE / "c" / source, yyjson, *more, "-o", OUT / name)

    program("ours", "ours.c", *ours)
    program("ours_read", "ours.c", "-DREAD_REPLY", *ours)
    program("ours_cpp", "ours.cpp", "-std=c++17", *ours)
    program("curl_yyjson", "curl_yyjson.c", "-lcurl")
    program("curl_cjson", "curl_cjson.c", "-lcurl", "-lcjson")
    program("flight_ours", "flight_ours.c", *ours)
    program("flight_curl", "flight_curl.c", "-lcurl")
    program("decode_yyjson", "decode.c")
    program("start", "start.c", "-ldl")


