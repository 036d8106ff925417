"""The tables of the page. Each gives its text, and the numbers that a target is about."""

import re
import statistics
from collections.abc import Callable
from pathlib import Path

from clients import CLIENTS, allocations, calls_table, client, instructions, is_python, pinned, system_calls
from programs import CLIENT_CPU, HERE, OUT, PYTHON, TARGET, run

#: The text of a table, and its numbers by name.
Table = tuple[str, dict[str, float]]

def markdown(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


HEAD = ["client", "p50 µs", "p99 µs", "CPU µs", "ratio of p50 [least, most]"]


def ratio(rows: list[list[str]], name: str, base: str | None = None) -> float:
    """The p50 of a client to that of another one, or to the first one of its language."""
    p50 = {row[0]: float(row[1].replace(",", "")) for row in rows}
    first = next(row[0] for row in rows if CLIENTS[row[0]][1] == CLIENTS[name][1])
    return p50[name] / p50[base or first]


def sequential(url: str, options) -> Table:
    names = [name for name in CLIENTS if "fields" not in name]
    rows = calls_table(url, names, "quote", options.rounds, options.calls)
    numbers = {
        "call, C": ratio(rows, "C: ours"),
        "call, Python to pyreqwest": ratio(rows, "Python: ours, typed", "Python: pyreqwest"),
        "call, Python to requests": ratio(rows, "Python: ours, typed"),
    }
    return markdown(HEAD, rows), numbers


def unpinned(url: str, options) -> Table:
    kinds = ("libcurl + yyjson", "ours", "reqwest + Value", "ours, typed", "requests", "pyreqwest")
    names = [name for name in CLIENTS if name.split(": ")[1] in kinds]
    return markdown(HEAD, calls_table(url, names, "quote", options.rounds, options.calls, cpu=None)), {}


def submits(url: str, options) -> Table:
    names = ["C: libcurl + yyjson", "C: ours", "Rust: reqwest + Value", "Rust: ours, typed", "Python: requests", "Python: pyreqwest", "Python: ours, typed"]
    return markdown(HEAD, calls_table(url, names, "submit", options.rounds, max(options.calls // 4, 1))), {}


def lists(url: str, options) -> Table:
    names = [name for name in CLIENTS if "httpx" not in name and "JSON" not in name and "C++" not in name and "thread" not in name]
    rows = calls_table(url, names, "list", max(options.rounds // 2, 3), 8)
    numbers = {
        "list, C to Value": ratio(rows, "C: ours", "Rust: reqwest + Value"),
        "list, Python, two fields": ratio(rows, "Python: ours, two fields"),
        "list, Python, all fields": ratio(rows, "Python: ours, all fields", "Python: requests, all fields"),
    }
    return markdown(HEAD, rows), numbers


def counts(url: str, options) -> Table:
    rows = []
    bases: dict[str, float] = {}
    numbers: dict[str, float] = {}
    for name in CLIENTS:
        if "httpx" in name or "fields" in name:
            continue
        count = 50 if is_python(name) else 200
        number = instructions(name, url, "quote", count)
        base = bases.setdefault(CLIENTS[name][1], number)
        systems, kinds = system_calls(name, url, "quote", 300)
        heap = ["", ""] if is_python(name) else [f"{n:,.1f}" for n in allocations(name, url, "quote", 200)]
        if name == "C: ours":
            numbers = {"instructions, C": number / base, "system calls, C": systems}
        rows.append([name, f"{number:,.0f}", f"{number / base:.2f}", f"{systems:.1f}", kinds, *heap])
    return markdown(["client", "instructions", "ratio", "system calls", "which", "allocations", "bytes"], rows), numbers


def decode(url: str, options) -> Table:
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
    numbers: dict[str, float] = {}
    for (name, who), times in sorted(seen.items(), key=lambda item: item[0][0], reverse=True):
        base = statistics.median(seen[name, "serde_json::Value: parsed"])
        size = files[name].stat().st_size
        if who.startswith("ours"):
            numbers[f"decode, {name}"] = statistics.median(times) / base
        rows.append([f"{who}, {size:,} bytes", f"{statistics.median(times):,.1f}", f"{statistics.median(times) / base:.2f}"])
    return markdown(["decoder", "µs", "ratio to Value"], rows), numbers


def loading(url: str, options) -> Table:
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
    starts: dict[str, float] = {}
    for name in ("Python: requests", "Python: httpx", "Python: pyreqwest", "Python: ours, typed"):
        times = [float(client(name, url, 1, "start")) / 1000 for _ in range(options.rounds)]
        starts[name] = statistics.median(times)
        rows.append([name, f"{starts[name]:.1f}"])
    numbers = {"size, MB": library.stat().st_size / 1e6, "start, Python": starts["Python: ours, typed"] / starts["Python: pyreqwest"]}
    return text + "\n\n" + markdown(["fresh process", "import to the first answer ms"], rows), numbers
