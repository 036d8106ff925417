"""`make mutants`: takes rules of cases out of the core, one at a time, and shows that the rule's test fails.

    python tests/mutants/run.py [NAME...]     default: all

Each mutant is one replacement in one file of a copy of the sources, in build/mutants. The last line is
`N killed, N survived`; a mutant that survives, or that does not build, makes the exit code 1.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
COPY = ROOT / "build/mutants"


class Mutant(NamedTuple):
    name: str
    file: str
    rule: str
    without: str
    test: str


def mutants() -> list[Mutant]:
    return [Mutant(**one) for one in json.loads((Path(__file__).parent / "mutants.json").read_text())]


def copy_sources() -> None:
    """The files that git knows, as they are; builds of before stay."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in listed.decode().split("\0"):
        source, target = ROOT / name, COPY / name
        if name and source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists() or target.read_bytes() != source.read_bytes():
                shutil.copyfile(source, target)


def test(name: str) -> tuple[bool, str]:
    """Whether the test passes, and the end of what cargo says."""
    environment = {**os.environ, "CARGO_TARGET_DIR": str(COPY / "target")}
    command = ["cargo", "test", "--quiet", "-p", "atlas-postbooking", "--test", "rules", "--", "--exact", name]
    done = subprocess.run(command, cwd=COPY, env=environment, capture_output=True, text=True, errors="replace")
    output = done.stdout + done.stderr
    if "could not compile" in output or "running 1 test" not in output:
        raise RuntimeError(f"{name} did not run:\n{output[-1500:]}")
    return done.returncode == 0, output


def killed(mutant: Mutant) -> bool:
    path = COPY / mutant.file
    text = path.read_text()
    if text.count(mutant.rule) != 1:
        raise RuntimeError(f"the rule stands {text.count(mutant.rule)} times in {mutant.file}")
    path.write_text(text.replace(mutant.rule, mutant.without))
    try:
        return not test(mutant.test)[0]
    finally:
        path.write_text(text)


def main() -> int:
    wanted = set(sys.argv[1:])
    chosen = [mutant for mutant in mutants() if not wanted or mutant.name in wanted]
    copy_sources()
    for name in sorted({mutant.test for mutant in chosen}):
        if not test(name)[0]:
            sys.exit(f"{name} fails without a mutant")
    counts = {True: 0, False: 0}
    for mutant in chosen:
        try:
            is_killed = killed(mutant)
        except RuntimeError as error:
            is_killed = False
            print(error)
        counts[is_killed] += 1
        print(f"{'killed' if is_killed else 'SURVIVED'}  {mutant.name}  by {mutant.test}", flush=True)
    print(f"{counts[True]} killed, {counts[False]} survived")
    return int(counts[False] > 0)


if __name__ == "__main__":
    sys.exit(main())
