"""`make test` and `make test-long`: the suites of every language. Standard library only.

    python tests/run.py [SUITE...]     rust, headers, c, cpp, examples, documents, vectors, runtimes, findings, python;
                                       --long: abort, archive, limits, memory, model, server, torture, wheels,
                                       which build a second time or take minutes each; default: all but these.
                                       fuzz only by its name: it builds everything with a sanitizer

Everything is built first. Then as many groups run at a time as there are processors (four at most), each in a process
of its own whose output is printed when it ends; the suites of a group run one after the other.

A suite that cannot run because a tool is missing is reported as SKIPPED; with APB_REQUIRE_ALL=1 that is a failure.
The last line is `N passed, N failed, N skipped`.
"""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "support"))

import archive  # noqa: E402
import building  # noqa: E402
import case_examples  # noqa: E402
import examples  # noqa: E402
import findings  # noqa: E402
import guide_commands  # noqa: E402
import guide_lines  # noqa: E402
import headers  # noqa: E402
import limits  # noqa: E402
import native  # noqa: E402
import postgres  # noqa: E402
import readme_programs  # noqa: E402
import runtimes  # noqa: E402
import stories  # noqa: E402
import wheels  # noqa: E402
from building import BUILD, PYTHON, ROOT  # noqa: E402
from results import SuiteResult, table  # noqa: E402


# The model builds the core with what it explores; see the suite `model`.
BUILD_ALL = ["--workspace", "--exclude", "atlas-model"]
RUST = [*BUILD_ALL, "--exclude", "atlas-vectors"]
MODEL = ["-p", "atlas-model"]
MODEL_STORES = [*MODEL, "--test", "stores"]
SERVER = ["-p", "atlas-postbooking", "--test", "server", "--test", "rules"]


def cargo_test(result: SuiteResult, packages: list[str], *before: str) -> None:
    """Runs tests of cargo; `before` is a program that runs another one."""
    command = [*before, "cargo", "test", *packages, "--no-fail-fast"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace")
    for counts in re.findall(r"^test result: .*$", done.stdout, re.MULTILINE):
        result.add_counts(counts.replace("ignored", "skipped"))
    failures = re.findall(r"^test (.*) \.\.\. FAILED$", done.stdout, re.MULTILINE)
    result.messages += [f"{result.name}: {name}" for name in failures]
    if done.returncode != 0 and not result.failed:
        result.check(False, f"cargo test:\n{done.stderr[-3000:]}")


def rust(result: SuiteResult) -> None:
    # Everything is built already: tests of one crate load what another one builds.
    cargo_test(result, RUST)


def server(result: SuiteResult) -> None:
    """The rules of cases, what processes of several hosts do to each other, and the model's store beside it, on a
    PostgreSQL server of the tests."""
    if postgres.folder() is None:
        result.skip_reason = "no PostgreSQL server is installed"
        return
    without = ["cargo", "check", "--quiet", "-p", "atlas-postbooking", "-p", "atlas-postbooking-c", "--no-default-features"]
    bare = subprocess.run(without, cwd=ROOT, capture_output=True, text=True, errors="replace")
    result.check(bare.returncode == 0, f"the core without PostgreSQL:\n{bare.stderr[-2000:]}")
    cargo_test(result, SERVER, sys.executable, postgres.__file__)
    cargo_test(result, MODEL_STORES, sys.executable, postgres.__file__)


def vectors(result: SuiteResult) -> None:
    """The vectors in every language; prints how many ran in each."""
    environment = os.environ | {"APB_PYTHONPATH": str(PYTHON), "APB_LIB_DIR": str(building.target())}
    command = ["cargo", "run", "--quiet", "-p", "atlas-vectors"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, errors="replace")
    lines = done.stdout.strip().splitlines() or [""]
    print("\n".join(f"  {line}" for line in lines if re.match(r"\s*\w+: (\d+ passed|SKIPPED)", line)))
    counted = result.add_counts(lines[-1])
    result.messages += [line[:400] for line in lines if line.startswith("FAILED")][:20]
    if done.returncode != 0 and not (counted and result.failed):
        result.check(False, f"vectors:\n{(done.stdout + done.stderr)[-2000:]}")


def model(result: SuiteResult) -> None:
    """Every state within the bounds of `make model`: each exploration is one check, and its line is printed."""
    done = subprocess.run(["cargo", "run", "--quiet", *MODEL], cwd=ROOT, capture_output=True, text=True, errors="replace")
    lines = re.findall(r"^\S.* states, all of them.*$", done.stdout, re.MULTILINE)
    print("\n".join(f"  {line}" for line in lines))
    result.passed += len(lines)
    result.check(done.returncode == 0, f"model:\n{(done.stdout + done.stderr)[-2000:]}")
    cargo_test(result, MODEL)


def torture(result: SuiteResult) -> None:
    """The short form of `make torture`: each experiment is one check, and its line is printed."""
    command = [str(building.target() / "atlas-torture")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", timeout=600)
    lines = done.stdout.strip().splitlines() or [""]
    print("\n".join(f"  {line}" for line in lines if re.match(r"E\d|SKIPPED", line)))
    counted = result.add_counts(lines[-1])
    result.messages += [line[:1000] for line in lines if line.startswith("FAILED")][:20]
    if done.returncode != 0 and not (counted and result.failed):
        result.check(False, f"torture:\n{(done.stdout + done.stderr)[-2000:]}")


def fuzz(result: SuiteResult) -> None:
    """Some seconds of `make fuzz` for each target: each is one check, and its line is printed."""
    command = [sys.executable, str(ROOT / "fuzz/run.py"), "smoke"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace")
    lines = done.stdout.strip().splitlines() or [""]
    print("\n".join(f"  {line}" for line in lines[:-1]))
    if done.stderr.startswith("SKIPPED: "):
        result.skip_reason = done.stderr.strip().removeprefix("SKIPPED: ")
        return
    counted = result.add_counts(lines[-1])
    result.messages += [line for line in lines if line.startswith("FAILED")]
    if done.returncode != 0 and not (counted and result.failed):
        result.check(False, f"fuzz:\n{(done.stdout + done.stderr)[-2000:]}")


def interpreter_with_tools(result: SuiteResult) -> Path | None:
    """The Python of a virtual environment with what the tests import; None, and a reason to skip, if there is none."""
    home = BUILD / "venv"
    interpreter = home / "bin/python"
    # Two groups need it, and may come here at the same time.
    with open(BUILD / "venv.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not interpreter.exists():
            venv.create(home, with_pip=True)
        needed = "import celery, click, fastapi, httpx, mypy, opentelemetry.sdk, pyright, pytest, rich, uvloop"
        if subprocess.run([str(interpreter), "-c", needed], capture_output=True).returncode != 0:
            wanted = ["celery", "click", "fastapi", "httpx", "mypy", "opentelemetry-sdk", "pyright", "pytest", "rich", "uvloop"]
            done = subprocess.run([str(interpreter), "-m", "pip", "install", "-q", *wanted], capture_output=True, text=True)
            if done.returncode != 0:
                result.skip_reason = "what the tests import cannot be installed"
                return None
    return interpreter


def command_line(result: SuiteResult) -> None:
    interpreter = interpreter_with_tools(result)
    if interpreter is not None:
        guide_commands.check(result, interpreter)


def python(result: SuiteResult) -> None:
    """The package's own tests, with the module that cargo built, in a virtual environment."""
    interpreter = interpreter_with_tools(result)
    if interpreter is None:
        return
    paths = f"pythonpath={PYTHON} {ROOT / 'py/tests'}"
    command = [str(interpreter), "-m", "pytest", "-q", "-c", str(ROOT / "py/pyproject.toml"), "-o", paths, "-p", "no:cacheprovider"]
    environment = {**os.environ, "ATLAS_SIMULATOR": str(building.target() / "atlas-simulator")}
    command += [str(ROOT / "py/tests")]
    done = subprocess.run(command, cwd=ROOT / "py", env=environment, capture_output=True, text=True, errors="replace")
    lines = done.stdout.strip().splitlines() or [""]
    counted = result.add_counts(lines[-1])
    result.messages += [line for line in lines if line.startswith(("FAILED", "ERROR", "SKIPPED"))]
    if done.returncode != 0 and not (counted and result.failed):
        result.check(False, f"pytest:\n{done.stdout[-2000:]}{done.stderr[-1000:]}")


def with_compiler(compiler: str, suite: Callable[[SuiteResult], None]) -> Callable[[SuiteResult], None]:
    def run(result: SuiteResult) -> None:
        if shutil.which(compiler) is None:
            result.skip_reason = f"no {compiler}"
        else:
            suite(result)

    return run


CC = os.environ.get("CC", "cc")
CXX = os.environ.get("CXX", "c++")

SUITES: list[tuple[str, str, Callable[[SuiteResult], None]]] = [
    ("headers", "headers", with_compiler(CXX, headers.check)),
    ("c", "C, .so", with_compiler(CC, lambda result: native.plain(result, "c", static=False))),
    ("c", "C, .a", with_compiler(CC, lambda result: native.plain(result, "c", static=True))),
    ("memory", "C, sanitizers", with_compiler(CC, lambda result: native.sanitized(result, "c"))),
    ("memory", "C, valgrind", with_compiler(CC, lambda result: native.valgrind(result, "c"))),
    ("abort", "C, panic=abort", with_compiler(CC, native.aborting)),
    ("c", "exports", with_compiler("nm", native.exports)),
    ("c", "installation", with_compiler(CC, native.installed)),
    ("archive", "release archive", with_compiler(CXX, archive.check)),
    ("cpp", "C++, .so", with_compiler(CXX, lambda result: native.plain(result, "cpp", static=False))),
    ("cpp", "C++, .a", with_compiler(CXX, lambda result: native.plain(result, "cpp", static=True))),
    ("memory", "C++, sanitizers", with_compiler(CXX, lambda result: native.sanitized(result, "cpp"))),
    ("memory", "C++, valgrind", with_compiler(CXX, lambda result: native.valgrind(result, "cpp"))),
    ("examples", "examples, C", with_compiler(CC, lambda result: examples.check(result, "c"))),
    ("examples", "examples, C++", with_compiler(CXX, lambda result: examples.check(result, "cpp"))),
    ("examples", "examples, Rust", lambda result: examples.check(result, "rust")),
    ("examples", "examples, Python", lambda result: examples.check(result, "python")),
    ("examples", "examples, cases", with_compiler(CXX, case_examples.check)),
    ("examples", "demo", with_compiler(CC, examples.demo)),
    ("documents", "README", with_compiler(CC, readme_programs.check)),
    ("documents", "command line", command_line),
    ("vectors", "vectors", with_compiler(CXX, vectors)),
    ("runtimes", "runtimes, vectors", with_compiler(CC, runtimes.vectors)),
    ("runtimes", "runtimes, stories", with_compiler(CC, stories.check)),
    ("runtimes", "runtimes, programs", with_compiler(CC, stories.programs)),
    ("runtimes", "runtimes, guide", with_compiler(CC, guide_lines.check)),
    ("findings", "findings, C", lambda result: findings.check(result, "c", building.LIB / "libatlas_postbooking.so.1")),
    ("findings", "findings, Python", lambda result: findings.check(result, "python", PYTHON)),
    ("limits", "limits", with_compiler(CC, limits.check)),
    ("torture", "torture", with_compiler(CC, torture)),
    ("model", "model", model),
    ("fuzz", "fuzz", with_compiler(CXX, fuzz)),
    ("python", "Python", python),
    ("wheels", "wheels", wheels.check),
    ("rust", "Rust", rust),
    ("server", "PostgreSQL", server),
]


# A second build, a foreign program's start in every test, or minutes by themselves.
LONG = {"abort", "archive", "limits", "memory", "model", "server", "torture", "wheels"}
BY_NAME = {"fuzz"}
# The groups that take longest start first.
FIRST = ("rust", "c", "examples", "model", "memory", "archive", "server")


def build(groups: set[str]) -> None:
    """Builds what the groups run, so that none of them waits for another one's build."""
    building.cargo("build", *BUILD_ALL)
    for group, packages in (("rust", RUST), ("server", SERVER), ("model", MODEL)):
        if group in groups:
            building.cargo("test", *packages, "--no-run", "--quiet")
    building.lay_out_library()
    building.lay_out_python()


def run_group(wanted: str, results_file: str) -> None:
    """Runs the suites of one group, in a process of its own, and writes their results."""
    results = []
    for group, name, suite in SUITES:
        if group == wanted:
            with SuiteResult(name) as result:
                suite(result)
            results.append(asdict(result))
    Path(results_file).write_text(json.dumps(results))


def run_in_process(group: str, folder: str) -> tuple[str, list[SuiteResult]]:
    """The output and the results of one group."""
    results_file = Path(folder) / f"{group}.json"
    command = [sys.executable, __file__, "--group", group, str(results_file)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode == 0:
        return done.stdout, [SuiteResult(**fields) for fields in json.loads(results_file.read_text())]
    broken = SuiteResult(group)
    broken.check(False, f"{group}: the suites ended with code {done.returncode}")
    return done.stdout, [broken]


def run_groups(wanted: set[str]) -> list[SuiteResult]:
    """The results of all groups, in the order of the table."""
    groups = [*(group for group in FIRST if group in wanted), *sorted(wanted - set(FIRST))]
    results: list[SuiteResult] = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(min(os.cpu_count() or 1, 4)) as pool:
        for one in as_completed(pool.submit(run_in_process, group, folder) for group in groups):
            output, of_group = one.result()
            print(output, end="", flush=True)
            results += of_group
    names = [name for _, name, _ in SUITES]
    return sorted(results, key=lambda one: names.index(one.name) if one.name in names else len(names))


def main() -> int:
    if sys.argv[1:2] == ["--group"]:
        run_group(*sys.argv[2:])
        return 0
    groups = {group for group, _, _ in SUITES}
    named = set(sys.argv[1:])
    wanted = LONG if named == {"--long"} else named or groups - LONG - BY_NAME
    unknown = wanted - groups
    if unknown:
        sys.exit(f"no suite is called {', '.join(sorted(unknown))}")
    build(wanted)
    results = run_groups(wanted)
    print("\n" + table(results) + "\n")
    not_run = [one for one in results if one.skip_reason]
    failed = sum(one.failed for one in results)
    skipped = sum(one.skipped for one in results)
    if os.environ.get("APB_REQUIRE_ALL") == "1":
        failed += len(not_run)
    else:
        skipped += len(not_run)
    print(f"{sum(one.passed for one in results)} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
