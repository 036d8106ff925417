"""The counts and messages of each suite, and the table of all suites. Standard library only."""

import os
import re
import subprocess
import time
from dataclasses import dataclass, field

COUNTS = re.compile(r"(\d+) (passed|failed|skipped)")


def processor_seconds() -> float:
    """Of this process and of those that it waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@dataclass
class SuiteResult:
    """The counts of one suite. A suite that could not run at all has a `skip_reason`."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    skip_reason: str = ""
    seconds: float = 0.0
    processor_seconds: float = 0.0
    messages: list[str] = field(default_factory=list)

    def check(self, is_true: bool, message: str) -> None:
        """Counts one check; the message is printed if it failed."""
        if is_true:
            self.passed += 1
        else:
            self.failed += 1
            self.messages.append(message)

    def add_counts(self, line: str) -> bool:
        """Adds the counts of a line like `3 passed, 1 failed, 2 skipped`; whether there were any."""
        counts = {key: int(number) for number, key in COUNTS.findall(line)}
        self.passed += counts.get("passed", 0)
        self.failed += counts.get("failed", 0)
        self.skipped += counts.get("skipped", 0)
        return bool(counts)

    def run_program(self, command: list[str], what: str, limit: float = 300, **more: object) -> None:
        """Runs a test program whose last line has its counts.

        A crash, a time-out, a missing last line, and an exit code that contradicts the counts are failures.
        """
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=limit, **more)  # type: ignore[call-overload]
        except subprocess.TimeoutExpired:
            return self.check(False, f"{what}: did not end within {limit:.0f} s")
        lines = done.stdout.strip().splitlines() or [""]
        failed_before = self.failed
        has_counts = self.add_counts(lines[-1])
        if self.failed > failed_before:
            self.messages += [f"{what}: {line}" for line in lines[:-1] if line.startswith(("FAILED", "  "))]
        elif done.returncode != 0 or not has_counts:
            tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-25:])
            self.check(False, f"{what}: ended with code {done.returncode}\n{tail}")

    def __enter__(self) -> "SuiteResult":
        self._start, self._processor_start = time.monotonic(), processor_seconds()
        print(f"… {self.name}", flush=True)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        self.seconds = time.monotonic() - self._start
        self.processor_seconds = processor_seconds() - self._processor_start
        if isinstance(error, (RuntimeError, OSError, AssertionError)):
            # A suite that cannot go on is a failure of that suite; the others still run.
            self.check(False, f"{self.name}: {error}")
            error = None
        for line in self.messages:
            print(f"  {line}", flush=True)
        if self.skip_reason:
            print(f"  SKIPPED: {self.skip_reason}", flush=True)
        return error is None


def table(results: list[SuiteResult]) -> str:
    """One row for each suite."""
    rows = [("", "passed", "failed", "skipped", "seconds", "of CPU")]
    for one in results:
        skipped = f"SKIPPED: {one.skip_reason}" if one.skip_reason else str(one.skipped)
        rows.append((one.name, str(one.passed), str(one.failed), skipped, f"{one.seconds:.1f}", f"{one.processor_seconds:.1f}"))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        f"{row[0]:{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:>{widths[3]}}  {row[4]:>7}  {row[5]:>7}"
        for row in rows
    )
