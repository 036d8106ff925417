"""json.loads on a file: `decode.py FILE TIMES` prints the median time, in microseconds."""

import json
import sys
import time
from pathlib import Path

text = Path(sys.argv[1]).read_bytes()
each = int(sys.argv[2])
times = []
for _ in range(11):
    start = time.perf_counter()
    for _ in range(each):
        json.loads(text)
    times.append((time.perf_counter() - start) / each)
times.sort()
print(f"{times[5] * 1e6:.3f}")
