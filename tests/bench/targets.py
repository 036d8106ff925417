"""What was aimed at, beside what this run measured."""

from tables import markdown

#: target, the number's name in a table, its limit, whether it must be at least (and not at most) that
TARGETS = [
    ("10,000 reads in flight from one C thread ≥ 4 × libcurl multi + yyjson", "flight 10000, C", 4.0, True),
    ("… KiB of memory a call ≤ 24", "flight 10000, KiB", 24.0, False),
    ("… threads ≤ 6", "flight 10000, threads", 6.0, False),
    ("64 in flight ≥ 0.9 × libcurl multi + yyjson", "flight 64, C", 0.9, True),
    ("asyncio, 64 in flight ≥ 2.5 × aiohttp", "asyncio 64", 2.5, True),
    ("asyncio, 5,000 in flight, threads ≤ 8", "asyncio 5000, threads", 8.0, False),
    ("C call ≤ 1.35 × libcurl + yyjson", "call, C", 1.35, False),
    ("… instructions ≤ 1.75 ×", "instructions, C", 1.75, False),
    ("… system calls ≤ 8", "system calls, C", 8.0, False),
    ("Python, typed ≤ 1.1 × pyreqwest", "call, Python to pyreqwest", 1.1, False),
    ("Python, typed ≤ 0.17 × requests", "call, Python to requests", 0.17, False),
    ("5 MB list, JSON ≤ 0.3 × reqwest + `Value`", "list, C to Value", 0.3, False),
    ("5 MB list, Python, two fields read ≤ 0.6 × requests + json", "list, Python, two fields", 0.6, False),
    ("5 MB list, Python, all fields read ≤ 1.2 × requests + json", "list, Python, all fields", 1.2, False),
    ("import and first call ≤ 1.1 × pyreqwest", "start, Python", 1.1, False),
    ("`.so` ≤ 5.5 MB", "size, MB", 5.5, False),
    ("`case.open` at 50,000 rows ≤ 1.2 × at 0 rows", "store, rows", 1.2, False),
    ("64 threads on one store ≥ 4 × one thread's rate", "store, 64 threads", 4.0, True),
    ("opening a client on 50,000 rows ≤ 10 ms", "store, opening ms", 10.0, False),
]


def against(numbers: dict[str, float]) -> str:
    rows = []
    for title, name, limit, at_least in TARGETS:
        if name in numbers:
            number = numbers[name]
            met = number >= limit if at_least else number <= limit
            rows.append([title, f"{number:.2f}", "yes" if met else "no"])
    return markdown(["target", "measured", "met"], rows)
