"""The tables of many calls in flight, and of cases in a store."""

import statistics
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from clients import environment, pinned
from programs import CLIENT_CPU, HERE, OUT, PYTHON, SERVER_CPU, TARGET, run
from tables import Table, markdown

#: name -> (command, whether it tells its memory)
NATIVE = {"C: libcurl multi + yyjson": [OUT / "flight_curl"], "C: ours, one queue": [OUT / "flight_ours"]}
LOOPS = {
    f"Python: {kind}": [PYTHON, HERE / "python/flight.py", kind] for kind in ("aiohttp", "httpx", "pyreqwest", "ours")
}


@contextmanager
def upstream(pause_ms: int) -> Iterator[str]:
    process = subprocess.Popen([TARGET / "upstream", str(pause_ms)], stdout=subprocess.PIPE, text=True, preexec_fn=pinned(SERVER_CPU))
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()


def flights(clients: dict, url: str, calls: int, in_flight: int, rounds: int) -> dict[str, list[float]]:
    """The medians of alternating rounds: calls per second, CPU µs of a call, and what else the program tells."""
    seen: dict[str, list[list[float]]] = {name: [] for name in clients}
    for _ in range(rounds):
        for name, command in clients.items():
            out = run(*command, url, calls, in_flight, env=environment(), preexec_fn=pinned(CLIENT_CPU))
            seen[name].append([float(word) for word in out.split()])
    return {name: [statistics.median(column) for column in zip(*results)] for name, results in seen.items()}


def in_flight(url: str, options) -> Table:
    del url
    parts, numbers = [], {}
    rounds = max(options.rounds // 2, 3)
    for pause, count, calls in ((0, 64, 20_000), (50, 10_000, 20_000)):
        with upstream(pause) as address:
            found = flights(NATIVE, address, calls, count, rounds)
        base = found["C: libcurl multi + yyjson"][0]
        rows = [
            [name, f"{rate:,.0f}", f"{rate / base:.2f}", f"{cpu:.1f}", f"{kib:.1f}", f"{threads:.0f}"]
            for name, (rate, cpu, kib, threads) in found.items()
        ]
        parts.append(f"{count:,} in flight, the upstream answers after {pause} ms, {calls:,} calls:\n\n")
        parts[-1] += markdown(["client, one thread", "calls/s", "ratio", "CPU µs", "KiB a call in flight", "threads"], rows)
        rate, _, kib, threads = found["C: ours, one queue"]
        numbers |= {f"flight {count}, C": rate / base, f"flight {count}, KiB": kib, f"flight {count}, threads": threads}
    for pause, count, calls in ((0, 64, 5_000), (500, 5_000, 10_000)):
        # The pool of httpx needs minutes for thousands.
        clients = {name: command for name, command in LOOPS.items() if count < 1000 or "httpx" not in name}
        with upstream(pause) as address:
            found = flights(clients, address, calls, count, 3)
        base = found["Python: aiohttp"][0]
        rows = [[name, f"{rate:,.0f}", f"{rate / base:.2f}", f"{cpu:.0f}", f"{threads:.0f}"] for name, (rate, cpu, threads) in found.items()]
        parts.append(f"asyncio, {count:,} in flight, the upstream answers after {pause} ms, {calls:,} calls:\n\n")
        parts[-1] += markdown(["client, one loop", "calls/s", "ratio", "CPU µs", "threads"], rows)
        numbers |= {f"asyncio {count}": found["Python: ours"][0] / base, f"asyncio {count}, threads": found["Python: ours"][2]}
    return "\n\n".join(parts), numbers


def stores(url: str, options) -> Table:
    del url, options
    seen: dict[str, list[list[float]]] = {}
    for line in run(TARGET / "store").splitlines():
        name, numbers = line.split(": ")
        seen.setdefault(name, []).append([float(number) for number in numbers.split()])
    found = {name: [statistics.median(column) for column in zip(*rounds)] for name, rounds in seen.items()}
    titles = {"few": "0", "many": "50,000"}
    rows = [
        [titles[name], f"{one:.0f}", f"{p50:.1f}", f"{all_:.0f}", f"{all_ / one:.1f}", f"{opening:.1f}"]
        for name, (one, p50, all_, _, opening) in found.items()
    ]
    few, many = found["few"], found["many"]
    numbers = {"store, rows": many[1] / few[1], "store, 64 threads": many[2] / many[0], "store, opening ms": many[4]}
    head = ["rows before", "case.open/s, one thread", "p50 ms", "64 threads /s", "ratio", "opening a client ms"]
    return markdown(head, rows), numbers
