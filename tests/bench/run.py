#!/usr/bin/env python3
"""`make bench`: compares atlas-postbooking with common HTTP clients, as ratios.

All clients use one loopback server and run in alternating rounds, because the speed of a machine varies
over time; clients measured in turn have the same conditions. The tables have the medians of the rounds and
the ratios to a client of the same language. Instructions, system calls and allocations are differences
between a run of N calls and one of 2N, so that they do not contain the start-up.

Standard library only. Missing tools are installed with apt-get and pip; all output is in build/bench.
`--rounds`, `--calls` and `--only TABLE` make a run shorter, `--write` writes the tables into
docs/performance.md.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tarfile
import venv
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "tests/bench"
OUT = ROOT / "build/bench"
PYTHON = OUT / "venv/bin/python"
PAGE = ROOT / "docs/performance.md"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
YYJSON = "4.0.6"  # version of the Python package that contains the C source (yyjson 0.10.0)
PACKAGES = ["requests", "httpx", "pyreqwest"]
CLIENT_CPU, SERVER_CPU = 0, max(os.sched_getaffinity(0))


def run(*command: object, **options) -> str:
    """The output of a program. If it fails, this one exits."""
    arguments = [str(argument) for argument in command]
    done = subprocess.run(arguments, capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


# Building.


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
    program("decode_yyjson", "decode.c")
    program("start", "start.c", "-ldl")


# Running.

CLIENT = TARGET / "client"
SCRIPT = HERE / "python/client.py"
# name -> (command in front of the arguments, language); the first client of a language has the ratio 1.00
CLIENTS: dict[str, tuple[list[object], str]] = {
    "C: libcurl + yyjson": ([OUT / "curl_yyjson"], "C"),
    "C: libcurl + cJSON": ([OUT / "curl_cjson"], "C"),
    "C: ours": ([OUT / "ours"], "C"),
    "C: ours, reply read with yyjson": ([OUT / "ours_read"], "C"),
    "C++: ours": ([OUT / "ours_cpp"], "C"),
    "Rust: reqwest + Value": ([CLIENT, "reqwest"], "Rust"),
    "Rust: ours, JSON": ([CLIENT, "ours-json"], "Rust"),
    "Rust: ours, typed": ([CLIENT, "ours"], "Rust"),
    "Python: requests": ([PYTHON, SCRIPT, "requests"], "Python"),
    "Python: httpx": ([PYTHON, SCRIPT, "httpx"], "Python"),
    "Python: pyreqwest": ([PYTHON, SCRIPT, "pyreqwest"], "Python"),
    "Python: ours, typed": ([PYTHON, SCRIPT, "ours"], "Python"),
    "Python: ours, typed, not the main thread": ([PYTHON, SCRIPT, "ours-thread"], "Python"),
}


def is_python(name: str) -> bool:
    return name.startswith("Python")


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(OUT / "python"), "PYTHONDONTWRITEBYTECODE": ""}


def pinned(cpu: int | None) -> Callable[[], None]:
    return lambda: os.sched_setaffinity(0, range(CLIENT_CPU, SERVER_CPU + 1) if cpu is None else {cpu})


@contextmanager
def server():
    process = subprocess.Popen([TARGET / "server"], stdout=subprocess.PIPE, text=True, preexec_fn=pinned(SERVER_CPU))
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()


def client(name: str, url: str, calls: int, mode: str, *, cpu: int | None = CLIENT_CPU, under: Iterable[object] = ()) -> str:
    return run(*under, *CLIENTS[name][0], url, calls, mode, env=environment(), preexec_fn=pinned(cpu))


def calls_table(url: str, names: Iterable[str], mode: str, rounds: int, calls: int, *, cpu: int | None = CLIENT_CPU) -> list[list[str]]:
    """Alternating rounds: p50, p99 and CPU time of a call, with ratios of the p50 within each round."""
    seen: dict[str, list[list[float]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in seen:
            share = max(calls // 4, 1) if is_python(name) else calls
            seen[name].append([float(word) for word in client(name, url, share, mode, cpu=cpu).split()])
    rows = []
    for name, results in seen.items():
        language = CLIENTS[name][1]
        base = next(n for n in seen if CLIENTS[n][1] == language)
        ratios = sorted(own[0] / theirs[0] for own, theirs in zip(results, seen[base]))
        p50, p99, cpu_time = (statistics.median(column) for column in zip(*results))
        ratio = f"{statistics.median(ratios):.2f} [{ratios[0]:.2f}, {ratios[-1]:.2f}]"
        rows.append([name, f"{p50:,.1f}", f"{p99:,.1f}", f"{cpu_time:,.1f}", ratio])
    return rows


def difference(name: str, url: str, calls: int, measure: Callable[[int], float]) -> float:
    return (measure(2 * calls) - measure(calls)) / calls


def instructions(name: str, url: str, mode: str, calls: int) -> float:
    def measure(count: int) -> float:
        under = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={OUT / 'callgrind.out'}", f"--log-file={OUT / 'callgrind.log'}"]
        client(name, url, count, mode, under=under)
        found = re.search(r"Collected : (\d+)", (OUT / "callgrind.log").read_text())
        return float(found[1]) if found else 0.0

    return difference(name, url, calls, measure)


def allocations(name: str, url: str, mode: str, calls: int) -> tuple[float, float]:
    def measure(count: int) -> tuple[float, float]:
        client(name, url, count, mode, under=["valgrind", f"--log-file={OUT / 'memcheck.log'}"])
        text = (OUT / "memcheck.log").read_text()
        found = re.search(r"total heap usage: ([\d,]+) allocs, [\d,]+ frees, ([\d,]+) bytes", text)
        numbers = [float(number.replace(",", "")) for number in found.groups()] if found else [0.0, 0.0]
        return numbers[0], numbers[1]

    less, more = measure(calls), measure(2 * calls)
    return (more[0] - less[0]) / calls, (more[1] - less[1]) / calls


def system_calls(name: str, url: str, mode: str, calls: int) -> tuple[float, str]:
    def measure(count: int) -> dict[str, int]:
        client(name, url, count, mode, under=["strace", "-f", "-c", "-o", OUT / "strace.log"])
        counts: dict[str, int] = {}
        for line in (OUT / "strace.log").read_text().splitlines():
            words = line.split()
            if len(words) >= 5 and words[0][:1].isdigit() and words[-1] != "total":
                counts[words[-1]] = int(words[3])
        return counts

    less, more = measure(calls), measure(2 * calls)
    kinds = {kind: (more[kind] - less.get(kind, 0)) / calls for kind in more}
    often = sorted(((n, kind) for kind, n in kinds.items() if n >= 0.05), reverse=True)
    return sum(kinds.values()), ", ".join(f"{kind} {n:.1f}" for n, kind in often)


# Tables.


def markdown(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


HEAD = ["client", "p50 µs", "p99 µs", "CPU µs", "ratio of p50 [least, most]"]


def sequential(url: str, options) -> str:
    return markdown(HEAD, calls_table(url, CLIENTS, "quote", options.rounds, options.calls))


def unpinned(url: str, options) -> str:
    names = [name for name in CLIENTS if name.split(": ")[1] in ("libcurl + yyjson", "ours", "reqwest + Value", "ours, typed", "requests", "pyreqwest")]
    return markdown(HEAD, calls_table(url, names, "quote", options.rounds, options.calls, cpu=None))


def submits(url: str, options) -> str:
    names = ["C: libcurl + yyjson", "C: ours", "Rust: reqwest + Value", "Rust: ours, typed", "Python: requests", "Python: pyreqwest", "Python: ours, typed"]
    return markdown(HEAD, calls_table(url, names, "submit", options.rounds, max(options.calls // 4, 1)))


def lists(url: str, options) -> str:
    names = ["C: libcurl + yyjson", "C: libcurl + cJSON", "C: ours", "Rust: reqwest + Value", "Rust: ours, typed", "Python: requests", "Python: pyreqwest", "Python: ours, typed"]
    return markdown(HEAD, calls_table(url, names, "list", max(options.rounds // 2, 3), 8))


def counts(url: str, options) -> str:
    rows = []
    bases: dict[str, float] = {}
    for name in CLIENTS:
        if "httpx" in name:
            continue
        count = 50 if is_python(name) else 200
        number = instructions(name, url, "quote", count)
        base = bases.setdefault(CLIENTS[name][1], number)
        systems, kinds = system_calls(name, url, "quote", 300)
        heap = ["", ""] if is_python(name) else [f"{n:,.1f}" for n in allocations(name, url, "quote", 200)]
        rows.append([name, f"{number:,.0f}", f"{number / base:.2f}", f"{systems:.1f}", kinds, *heap])
    return markdown(["client", "instructions", "ratio", "system calls", "which", "allocations", "bytes"], rows)


def decode(url: str, options) -> str:
    del url
    files = {"small": OUT / "small.json", "large": OUT / "list.json"}
    files["small"].write_text(run(TARGET / "server", "small").rstrip("\n"))
    files["large"].write_text(run(TARGET / "server", "list").rstrip("\n"))
    seen: dict[tuple[str, str], list[float]] = {}
    for _ in range(max(options.rounds // 2, 3)):
        text = run(TARGET / "decode", preexec_fn=pinned(CLIENT_CPU))
        for name, ours, value in re.findall(r"decode (\w+) .*?ours ([\d.]+) us, Value ([\d.]+) us", text):
            seen.setdefault((name, "ours: parsed, checked, normalised, written"), []).append(float(ours))
            seen.setdefault((name, "serde_json::Value: parsed"), []).append(float(value))
        for name, file in files.items():
            times = 2000 if name == "small" else 1
            c = run(OUT / "decode_yyjson", file, times, preexec_fn=pinned(CLIENT_CPU))
            py = run(PYTHON, HERE / "python/decode.py", file, max(times // 10, 1), preexec_fn=pinned(CLIENT_CPU))
            seen.setdefault((name, "yyjson: parsed"), []).append(float(c))
            seen.setdefault((name, "Python json: parsed"), []).append(float(py))
    rows = []
    for (name, who), times in sorted(seen.items(), key=lambda item: item[0][0], reverse=True):
        base = statistics.median(seen[name, "serde_json::Value: parsed"])
        size = files[name].stat().st_size
        rows.append([f"{who}, {size:,} bytes", f"{statistics.median(times):,.1f}", f"{statistics.median(times) / base:.2f}"])
    return markdown(["decoder", "µs", "ratio to Value"], rows)


def loading(url: str, options) -> str:
    library = OUT / "libatlas_postbooking.so.1"
    curl = re.search(r"libcurl\.so\S* => (\S+)", run("ldd", OUT / "curl_yyjson"))
    rows = []
    for name, kind, path in (("ours", "ours", library), ("libcurl", "curl", Path(curl[1]) if curl else library)):
        needed = re.findall(r"NEEDED.*\[(.*)\]", run("readelf", "-d", path))
        pulled = len([line for line in run("ldd", path).splitlines() if "=>" in line])
        times = [run(OUT / "start", kind, path, url, preexec_fn=pinned(CLIENT_CPU)).split() for _ in range(options.rounds * 2)]
        load, first = (statistics.median(float(word) for word in column) / 1000 for column in zip(*times))
        shown = " ".join(sorted(needed)) if len(needed) < 8 else str(len(needed))
        rows.append([name, f"{path.resolve().stat().st_size / 1e6:.2f}", shown, str(pulled), f"{load:.2f}", f"{first:.2f}"])
    text = markdown(["library", "MB", "needs", "libraries pulled in", "dlopen ms", "to the first answer ms"], rows)
    rows = []
    for name in ("Python: requests", "Python: httpx", "Python: pyreqwest", "Python: ours, typed"):
        times = [float(client(name, url, 1, "start")) / 1000 for _ in range(options.rounds)]
        rows.append([name, f"{statistics.median(times):.1f}"])
    return text + "\n\n" + markdown(["fresh process", "import to the first answer ms"], rows)


TABLES: dict[str, tuple[str, Callable[..., str]]] = {
    "calls": ("Sequential calls on a persistent connection, client on one CPU, server on another", sequential),
    "free": ("The same, client not pinned to a CPU", unpinned),
    "submits": ("A submit: every call on a connection of its own", submits),
    "list": ("A list of 13,000 orders, 5 MB", lists),
    "counts": ("Instructions, system calls and allocations of one call", counts),
    "decode": ("Decoding a reply, without network", decode),
    "loading": ("Size and start-up", loading),
}


def machine() -> str:
    text = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", text)
    curl = run("curl-config", "--version").split()[-1]
    packages = run(PYTHON, "-m", "pip", "list", "--format=freeze").split()
    versions = ", ".join(line.replace("==", " ") for line in packages if line.split("==")[0] in PACKAGES)
    return (
        f"{os.cpu_count()} CPUs ({model[1] if model else '?'}), Linux {os.uname().release.split('-')[0]}, {run('rustc', '--version').split(' (')[0]}, "
        f"libcurl {curl}, yyjson 0.10.0, Python {sys.version.split()[0]}, {versions}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--only", choices=TABLES, action="append")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    build()
    parts = [machine()]
    with server() as url:
        for name, (title, table) in TABLES.items():
            if options.only is None or name in options.only:
                parts.append(f"### {title}\n\n{table(url, options)}")
                print(parts[-1] + "\n", flush=True)
    if options.write:
        begin, end = "<!-- bench:begin -->", "<!-- bench:end -->"
        before, rest = PAGE.read_text().split(begin)
        after = rest.split(end)[1]
        PAGE.write_text(before + begin + "\n" + "\n\n".join(parts) + "\n" + end + after)


if __name__ == "__main__":
    main()
