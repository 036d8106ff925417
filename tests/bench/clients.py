"""The clients that are compared, and what is measured of one of them: times, instructions, system calls, allocations."""

import os
import re
import statistics
import subprocess
from collections.abc import Callable, Iterable
from contextlib import contextmanager

from programs import CLIENT_CPU, HERE, OUT, PYTHON, SERVER_CPU, TARGET, run

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
    "Python: requests, all fields": ([PYTHON, SCRIPT, "requests-all"], "Python"),
    "Python: ours, two fields": ([PYTHON, SCRIPT, "ours-two"], "Python"),
    "Python: ours, all fields": ([PYTHON, SCRIPT, "ours-all"], "Python"),
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


