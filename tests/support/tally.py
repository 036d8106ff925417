"""What held and what did not, suite by suite, and the table of it. Standard library only."""

import re
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

COUNTS = re.compile(r"(\d+) (passed|failed|skipped)")


@dataclass
class Tally:
    """The counts of one suite. A suite that could not run at all has a reason in `missing`."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    missing: str = ""
    seconds: float = 0.0
    words: list[str] = field(default_factory=list)

    def check(self, held: bool, words: str) -> None:
        """One check; its words are shown if it did not hold."""
        if held:
            self.passed += 1
        else:
            self.failed += 1
            self.words.append(words)

    def add(self, line: str) -> bool:
        """Adds counts like `3 passed, 1 failed, 2 skipped`; whether there were any."""
        counts = {word: int(number) for number, word in COUNTS.findall(line)}
        self.passed += counts.get("passed", 0)
        self.failed += counts.get("failed", 0)
        self.skipped += counts.get("skipped", 0)
        return bool(counts)

    def program(self, command: list[str], what: str, limit: float = 300, **more: object) -> None:
        """Runs a program that ends with its counts. A crash, a hang and a lie about failures are failures."""
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=limit, **more)  # type: ignore[call-overload]
        except subprocess.TimeoutExpired:
            return self.check(False, f"{what}: did not end within {limit:.0f} s")
        lines = done.stdout.strip().splitlines() or [""]
        before = self.failed
        counted = self.add(lines[-1])
        if self.failed > before:
            self.words += [f"{what}: {line}" for line in lines[:-1] if line.startswith(("FAILED", "  "))]
        elif done.returncode != 0 or not counted:
            tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-25:])
            self.check(False, f"{what}: ended with code {done.returncode}\n{tail}")

    def __enter__(self) -> "Tally":
        self._start = time.monotonic()
        print(f"… {self.name}", flush=True)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        self.seconds = time.monotonic() - self._start
        if isinstance(error, (RuntimeError, OSError, AssertionError)):
            # A suite that breaks is a failure of that suite; the others still run.
            self.check(False, f"{self.name}: {error}")
            error = None
        for line in self.words:
            print(f"  {line}", flush=True)
        if self.missing:
            print(f"  SKIPPED: {self.missing}", flush=True)
        return error is None


def table(tallies: list[Tally]) -> str:
    """One row for each suite."""
    rows = [("", "passed", "failed", "skipped", "seconds")]
    for one in tallies:
        skipped = f"SKIPPED: {one.missing}" if one.missing else str(one.skipped)
        rows.append((one.name, str(one.passed), str(one.failed), skipped, f"{one.seconds:.1f}"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        f"{row[0]:{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:>{widths[3]}}  {row[4]:>7}" for row in rows
    )


