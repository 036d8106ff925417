"""`make test`: every suite of every language. Standard library only.

    python tests/run.py [SUITE...]     rust, headers, c, cpp, examples, documents, vectors, torture, python; all of them by default

What cannot run, because a tool is missing, is named as SKIPPED; with APB_REQUIRE_ALL=1 it is a failure.
The last line is `N passed, N failed, N skipped`.
"""

import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "support"))

import building  # noqa: E402
import case_stories  # noqa: E402
import documents  # noqa: E402
import headers  # noqa: E402
import native  # noqa: E402
import stories  # noqa: E402
from building import BUILD, PYTHON, ROOT  # noqa: E402
from tally import Tally, table  # noqa: E402


def rust(tally: Tally) -> None:
    # The whole build first: tests of one crate load what another one builds.
    command = ["cargo", "test", "--workspace", "--exclude", "atlas-vectors", "--no-fail-fast"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace")
    for result in re.findall(r"^test result: .*$", done.stdout, re.MULTILINE):
        tally.add(result.replace("ignored", "skipped"))
    failures = re.findall(r"^test (.*) \.\.\. FAILED$", done.stdout, re.MULTILINE)
    tally.words += [f"rust: {name}" for name in failures]
    if done.returncode != 0 and not tally.failed:
        tally.check(False, f"cargo test:\n{done.stderr[-3000:]}")


def vectors(tally: Tally) -> None:
    """One corpus through every language; how many ran in each is shown."""
    environment = os.environ | {"APB_PYTHONPATH": str(PYTHON), "APB_LIB_DIR": str(building.target())}
    command = ["cargo", "run", "--quiet", "-p", "atlas-vectors"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, errors="replace")
    lines = done.stdout.strip().splitlines() or [""]
    print("\n".join(f"  {line}" for line in lines if re.match(r"\s*(rust|c|cpp|python|drift|documented): (\d|SKIPPED)", line)))
    counted = tally.add(lines[-1])
    tally.words += [line[:400] for line in lines if line.startswith("FAILED")][:20]
    if done.returncode != 0 and not (counted and tally.failed):
        tally.check(False, f"vectors:\n{(done.stdout + done.stderr)[-2000:]}")


def torture(tally: Tally) -> None:
    """The short form of `make torture`: each experiment is one check, its line is shown."""
    command = [str(building.target() / "atlas-torture")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=600)
    lines = done.stdout.strip().splitlines() or [""]
    print("\n".join(f"  {line}" for line in lines if re.match(r"E\d", line)))
    counted = tally.add(lines[-1])
    tally.words += [line[:1000] for line in lines if line.startswith("FAILED")][:20]
    if done.returncode != 0 and not (counted and tally.failed):
        tally.check(False, f"torture:\n{(done.stdout + done.stderr)[-2000:]}")


def python(tally: Tally) -> None:
    """The package's own tests, on the module that cargo built, in an environment of their own."""
    home = BUILD / "venv"
    interpreter = home / "bin/python"
    if not interpreter.exists():
        venv.create(home, with_pip=True)
    if subprocess.run([str(interpreter), "-c", "import pytest, mypy"], capture_output=True).returncode != 0:
        wanted = ["pytest", "mypy"]
        done = subprocess.run([str(interpreter), "-m", "pip", "install", "-q", *wanted], capture_output=True, text=True)
        if done.returncode != 0:
            tally.missing = "pytest cannot be installed"
            return
    paths = f"pythonpath={PYTHON} {ROOT / 'py/tests'}"
    command = [str(interpreter), "-m", "pytest", "-q", "-c", str(ROOT / "py/pyproject.toml"), "-o", paths, "-p", "no:cacheprovider"]
    done = subprocess.run([*command, str(ROOT / "py/tests")], cwd=ROOT / "py", capture_output=True, text=True, errors="replace")
    lines = done.stdout.strip().splitlines() or [""]
    counted = tally.add(lines[-1])
    tally.words += [line for line in lines if line.startswith(("FAILED", "ERROR", "SKIPPED"))]
    if done.returncode != 0 and not (counted and tally.failed):
        tally.check(False, f"pytest:\n{done.stdout[-2000:]}{done.stderr[-1000:]}")


def with_compiler(compiler: str, suite: Callable[[Tally], None]) -> Callable[[Tally], None]:
    def run(tally: Tally) -> None:
        if shutil.which(compiler) is None:
            tally.missing = f"no {compiler}"
        else:
            suite(tally)

    return run


CC = os.environ.get("CC", "cc")
CXX = os.environ.get("CXX", "c++")

SUITES: list[tuple[str, str, Callable[[Tally], None]]] = [
    ("headers", "headers", with_compiler(CXX, headers.check)),
    ("c", "C, .so", with_compiler(CC, lambda tally: native.plain(tally, "c", static=False))),
    ("c", "C, .a", with_compiler(CC, lambda tally: native.plain(tally, "c", static=True))),
    ("c", "C, sanitizers", with_compiler(CC, lambda tally: native.sanitized(tally, "c"))),
    ("c", "C, valgrind", with_compiler(CC, lambda tally: native.valgrind(tally, "c"))),
    ("c", "C, panic=abort", with_compiler(CC, native.aborting)),
    ("c", "exports", with_compiler("nm", native.exports)),
    ("c", "installation", with_compiler(CC, native.installed)),
    ("cpp", "C++, .so", with_compiler(CXX, lambda tally: native.plain(tally, "cpp", static=False))),
    ("cpp", "C++, .a", with_compiler(CXX, lambda tally: native.plain(tally, "cpp", static=True))),
    ("cpp", "C++, sanitizers", with_compiler(CXX, lambda tally: native.sanitized(tally, "cpp"))),
    ("cpp", "C++, valgrind", with_compiler(CXX, lambda tally: native.valgrind(tally, "cpp"))),
    ("examples", "examples, C", with_compiler(CC, lambda tally: stories.check(tally, "c"))),
    ("examples", "examples, C++", with_compiler(CXX, lambda tally: stories.check(tally, "cpp"))),
    ("examples", "examples, Rust", lambda tally: stories.check(tally, "rust")),
    ("examples", "examples, Python", lambda tally: stories.check(tally, "python")),
    ("examples", "examples, cases", with_compiler(CXX, case_stories.check)),
    ("examples", "demo", with_compiler(CC, stories.demo)),
    ("documents", "README", with_compiler(CC, documents.check)),
    ("vectors", "vectors", with_compiler(CXX, vectors)),
    ("torture", "torture", with_compiler(CC, torture)),
    ("python", "Python", python),
    ("rust", "Rust", rust),
]


def main() -> int:
    wanted = set(sys.argv[1:]) or {group for group, _, _ in SUITES}
    unknown = wanted - {group for group, _, _ in SUITES}
    if unknown:
        sys.exit(f"no suite is called {', '.join(sorted(unknown))}")
    building.cargo("build", "--workspace")
    building.lay_out_library()
    building.lay_out_python()
    tallies: list[Tally] = []
    for group, name, suite in SUITES:
        if group in wanted:
            tally = Tally(name)
            with tally:
                suite(tally)
            tallies.append(tally)
    print("\n" + table(tallies) + "\n")
    missing = [one for one in tallies if one.missing]
    failed = sum(one.failed for one in tallies)
    skipped = sum(one.skipped for one in tallies)
    if os.environ.get("APB_REQUIRE_ALL") == "1":
        failed += len(missing)
    else:
        skipped += len(missing)
    print(f"{sum(one.passed for one in tallies)} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
