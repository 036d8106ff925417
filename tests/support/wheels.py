"""The wheels in environments where there is no Rust and nothing of this tree: what a user does with them.

    python tests/support/wheels.py DIRECTORY      a release's: glibc and the builder's folders are checked as well

A script of the documentation, a bulk run of 1,000 orders that is killed and resumed, the daemon, the report, the test kit;
on each interpreter that is there an import, a call and the kit.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path

from archive import without_cargo
from building import BUILD, ROOT
from results import SuiteResult, table

INTERPRETERS = ("3.10", "3.11", "3.12", "3.13", "3.14")
ORDERS = 1000
KIT = """\
import pytest
from atlas_postbooking import Client, OutcomeUnknown

def test_a_lost_reply(atlas_client, atlas_simulator, atlas_faults, atlas_ledger, atlas_clock):
    order = atlas_simulator.order(airline="F9")
    atlas_faults("void", "drop_after")
    case = atlas_client.cases.open(kind="void", order_no=order, key="k").case
    assert case.outcome == "executed" and len(atlas_ledger(order, executed=True)) == 1
    atlas_clock("1d")
    assert atlas_client.cases.reconcile("k").case.state == "refunded"

@pytest.mark.atlas("quoteAfterRefund=0", seed=3)
def test_unknown(atlas_client, atlas_simulator, atlas_faults):
    atlas_faults("refund", "drop_after")
    with pytest.raises(OutcomeUnknown):
        atlas_client.cases.open(kind="refund", order_no=atlas_simulator.order(), key="k")

def test_notifications(atlas_client, atlas_simulator, atlas_webhooks, atlas_clock):
    atlas_client.cases.open(kind="void", order_no=atlas_simulator.order(airline="F9"), key="k")
    atlas_clock("1d")
    assert atlas_client.case_notify(body=atlas_webhooks.wait()).cases
"""
#: In the environment of a user: makes a configuration and orders, and says where.
PREPARE = """\
import json, pathlib, sys
from atlas_postbooking.testing import Simulator
atlas = Simulator("refundQueryWithoutCode=list")
config = {**atlas.config, "store": {"path": "cases.db"}, "settle_ms": 60000}
config["client_secret"] = "secret"
pathlib.Path("config.json").write_text(json.dumps(config))
orders = [atlas.order(airline="F9", fare="84.75") for _ in range(int(sys.argv[1]))]
pathlib.Path("orders.csv").write_text("order_no;kind;currency;min_refund\\r\\n" + "".join(f"{no};void;USD;20,00\\r\\n" for no in orders), encoding="utf-8-sig")
print(json.dumps({"url": atlas.url, "order": orders[0]}), flush=True)
for line in sys.stdin:
    word, _, rest = line.strip().partition(" ")
    print(json.dumps(atlas.ledger(executed=True) if word == "ledger" else str(atlas.advance(rest))), flush=True)
"""


def interpreter(version: str) -> str | None:
    """An interpreter of a version: on the path, or one of pyenv."""
    found = shutil.which(f"python{version}")
    if found and subprocess.run([found, "-c", "import venv"], capture_output=True).returncode == 0:
        return found
    home = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    paths = sorted(home.glob(f"{version}.*/bin/python")) if home.is_dir() else []
    return str(paths[-1]) if paths else None


class Environment:
    """A virtual environment with the wheels, in a directory of its own."""

    def __init__(self, python: str, wheels: Path, home: Path) -> None:
        self.home, self.work = home, home / "work"
        shutil.rmtree(home, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.environment = without_cargo()
        subprocess.run([python, "-m", "venv", str(home / "venv")], check=True, env=self.environment)
        self.bin = home / "venv/bin"
        # First what comes from elsewhere, then the wheels alone: nothing of the same name can take their place.
        self.must("pip", "install", "-q", "click>=8.1", "rich>=13", "pytest>=7.4", proxies=True)
        self.must("pip", "install", "-q", "--no-index", "--no-deps", *sorted(str(path) for path in wheels.glob("*.whl") if "aarch64" not in path.name and "musl" not in path.name))
        self.must("pip", "check")

    def run(self, program: str, *arguments: str, proxies: bool = False) -> subprocess.CompletedProcess[str]:
        environment = {**(os.environ if proxies else {}), **self.environment, "PYTHONWARNINGS": "" if program == "pip" else "error"}
        return subprocess.run([str(self.bin / program), *arguments], cwd=self.work, env=environment, capture_output=True, text=True, timeout=550)

    def must(self, program: str, *arguments: str, proxies: bool = False) -> str:
        ran = self.run(program, *arguments, proxies=proxies)
        if ran.returncode != 0:
            raise RuntimeError(f"{program} {' '.join(arguments)[:200]}: exit code {ran.returncode}\n{ran.stdout[-800:]}{ran.stderr[-1500:]}")
        return ran.stdout

    def start(self, program: str, *arguments: str) -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([str(self.bin / program), *arguments], cwd=self.work, env=self.environment, text=True, **pipes)  # type: ignore[call-overload,no-any-return]


def check_kit(result: SuiteResult, environment: Environment, version: str) -> None:
    (environment.work / "test_kit.py").write_text(KIT)
    ran = environment.run("python", "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "test_kit.py")
    result.check("3 passed" in ran.stdout, f"the test kit on {version}: {ran.stdout[-1500:]}{ran.stderr[-500:]}")


def readme_program() -> str:
    """The first program of the page that users see first."""
    return re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)[0]


def check_operator(result: SuiteResult, environment: Environment) -> None:
    """What an operator does in a week, with the installed command."""
    (environment.work / "prepare.py").write_text(PREPARE)
    atlas = environment.start("python", "prepare.py", str(ORDERS + 1))
    assert atlas.stdin and atlas.stdout

    def tell(word: str) -> object:
        assert atlas.stdin and atlas.stdout
        atlas.stdin.write(word + "\n")
        atlas.stdin.flush()
        return json.loads(atlas.stdout.readline())

    def ledger() -> Counter[str]:
        rows = tell("ledger")
        return Counter(row["orderNo"] for row in rows)  # type: ignore[attr-defined]

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        return environment.run("atlas-postbooking", "--config", "config.json", *words)

    try:
        at = json.loads(atlas.stdout.readline())
        script = environment.work / "script.py"
        script.write_text(readme_program())
        environment.environment |= {"ATLAS_URL": at["url"], "ORDER_NO": at["order"]}
        ran = environment.run("python", "script.py")
        result.check("voided: " in ran.stdout, f"the program of the README: {ran.stdout}{ran.stderr}")
        table_file = environment.work / "orders.csv"
        lines = table_file.read_bytes().splitlines(keepends=True)
        table_file.write_bytes(b"".join([lines[0], *lines[2:]]))

        bulk = environment.start("atlas-postbooking", "--config", "config.json", "bulk", "orders.csv", "--live", "--concurrency", "8")
        end = time.monotonic() + 300
        while sum(ledger().values()) < ORDERS // 2 and time.monotonic() < end:
            time.sleep(0.1)
        bulk.kill()
        bulk.communicate()
        half = sum(ledger().values())
        result.check(ORDERS // 2 <= half < ORDERS, f"killed after {half} voids")
        ran = command("bulk", "orders.csv", "--live", "--concurrency", "8")
        result.check(ran.returncode in (0, 4), f"resumed: exit code {ran.returncode}\n{ran.stdout}{ran.stderr[-800:]}")
        for _ in range(3):
            tell("advance 2m")
            command("cases", "reconcile", "--all")
        voids = ledger()
        # A request that was on its way at the kill may not have arrived: then the vendor's list shows it absent.
        lost = ORDERS + 1 - len(voids)
        result.check(set(voids.values()) == {1} and lost <= 8, f"voids: {len(voids)} of {ORDERS + 1}, at most {max(voids.values())} of one order")
        ran = command("bulk", "orders.csv", "--live", "--json")
        outcomes = json.loads(ran.stdout)["outcomes"] if ran.stdout else ran.stderr
        result.check(outcomes == ({"executed": ORDERS - lost} | ({"not_executed": lost} if lost else {})), f"verdicts: {outcomes}")

        ran = command("cases", "report", "--html", "report.html")
        page = (environment.work / "report.html").read_text() if ran.returncode == 0 else ran.stderr
        made = json.loads(command("--json", "cases", "report").stdout)
        amount = made["sums"]["USD"]["coming_back"]
        result.check(made["open"] == ORDERS - lost and amount in page and "<script" not in page, f"the report: {made}")

        daemon = environment.start("atlas-postbooking", "--config", "config.json", "follow", "--every", "0.5")
        assert daemon.stderr and daemon.stdout
        daemon.stderr.readline()
        tell("advance 2d")
        line = daemon.stdout.readline()
        result.check("refunded" in line, f"the daemon says: {line}")
        daemon.terminate()
        _, told = daemon.communicate(timeout=60)
        result.check(daemon.returncode == 0 and "stopped" in told, f"the daemon ends with {daemon.returncode}: {told[-500:]}")
    finally:
        atlas.kill()
        atlas.communicate()


def check_files(result: SuiteResult, wheels: Path, release: bool) -> None:
    for path in wheels.glob("*.whl"):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            whole = b"".join(archive.read(name) for name in names)
        result.check("cp310-abi3" in path.name or "py3-none" in path.name, f"{path.name} is for one Python only")
        result.check(not any(name.endswith(".pyc") or "test_" in name for name in names), f"{path.name} has files that are not for users")
        if release:
            for folder in (str(ROOT), str(Path.home() / ".cargo")):
                result.check(folder.encode() not in whole, f"{folder} is in {path.name}")
            newest = max((tuple(map(int, each.split(b"."))) for each in re.findall(rb"GLIBC_(\d+\.\d+)", whole)), default=(0, 0))
            result.check(newest <= (2, 17) and ("manylinux" in path.name or "musllinux" in path.name), f"{path.name} wants glibc {newest}")
            result.check(path.stat().st_size < 8 << 20, f"{path.name} has {path.stat().st_size} bytes")
    if shutil.which("cargo"):
        for path in wheels.glob("*.tar.gz"):
            with tempfile.TemporaryDirectory() as place:
                shutil.unpack_archive(path, place)
                (tree,) = Path(place).iterdir()
                words = ["cargo", "metadata", "--offline", "--locked", "--format-version", "1"]
                done = subprocess.run(words, cwd=tree, capture_output=True, text=True)
                result.check(done.returncode == 0, f"{path.name}: its lock file is not its own: {done.stderr[-400:]}")


def check_all(result: SuiteResult, wheels: Path, release: bool) -> None:
    check_files(result, wheels, release)
    for version in INTERPRETERS:
        python = interpreter(version)
        if python is None:
            result.skipped += 1
            print(f"  SKIPPED: there is no Python {version}")
            continue
        environment = Environment(python, wheels, BUILD / "wheels-test" / version)
        check_kit(result, environment, version)
        if version == "3.11":
            check_operator(result, environment)


def check(result: SuiteResult) -> None:
    """Wheels of the development build."""
    out = BUILD / "wheels"
    done = subprocess.run([sys.executable, str(ROOT / "packaging/wheels.py"), "--light", "--out", str(out)], capture_output=True, text=True)
    result.check(done.returncode == 0, f"packaging/wheels.py: {done.stdout[-500:]}{done.stderr[-1500:]}")
    if done.returncode == 0:
        check_all(result, out, release=False)


def main() -> int:
    result = SuiteResult("wheels")
    with result:
        check_all(result, Path(sys.argv[1]).absolute(), release=True)
    print(table([result]))
    print("\n".join(result.messages))
    print(f"{result.passed} passed, {result.failed} failed, {result.skipped} skipped")
    return 1 if result.failed else 0


if __name__ == "__main__":
    sys.exit(main())
