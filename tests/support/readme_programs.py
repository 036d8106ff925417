"""Runs the programs of README.md with the simulator."""

import os
import re
import subprocess
import sys
import tempfile

import building
from building import BUILD, PYTHON, ROOT
from simulator import Simulator
from results import SuiteResult

FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


# The language of each program and what its output must contain, in the order of the page.
EXPECTED = [
    ("python", "voided: "),
    ("c", "voided: "),
    ("cpp", "voided: "),
    ("rust", "voided: Some"),
    ("python", "200 orders, all ticketed: True"),
    ("c", "ticketed: 200"),
    ("python", "open cases: 1 - this one: executed atlas_processing"),
    ("c", '"outcome":"executed","state":"atlas_processing"'),
]


def snippets() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = FENCE.findall((ROOT / "README.md").read_text())
    return [(language, text) for language, text in found if language in dict(EXPECTED)]


def rust_command(text: str) -> list[str]:
    """A package outside of the workspace that depends on the core."""
    home = BUILD / "readme-rust"
    (home / "src").mkdir(parents=True, exist_ok=True)
    (home / "src/main.rs").write_text(text)
    (home / "Cargo.toml").write_text(
        '[package]\nname = "readme"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n'
        # The profile of the workspace, so that its build is reused.
        '[profile.dev]\nopt-level = 1\ndebug = "line-tables-only"\n'
        f'[dependencies]\natlas-postbooking = {{ path = "{ROOT / "core"}" }}\n'
    )
    (home / "Cargo.lock").write_bytes((ROOT / "Cargo.lock").read_bytes())
    return ["cargo", "run", "--quiet", "--manifest-path", str(home / "Cargo.toml"), "--target-dir", str(building.target().parent)]


def native_command(suffix: str, text: str) -> list[str]:
    source = BUILD / f"readme.{suffix}"
    source.write_text(text)
    return [str(building.program(source, name=f"readme-{suffix}"))]


def command_of(language: str, text: str) -> list[str]:
    """Builds a program if necessary; the command that runs it."""
    match language:
        case "python":
            script = BUILD / "readme.py"
            script.write_text(text)
            return [sys.executable, str(script)]
        case "rust":
            return rust_command(text)
        case _:
            return native_command(language, text)


def check(result: SuiteResult) -> None:
    found = snippets()
    languages = [language for language, _ in EXPECTED]
    result.check([language for language, _ in found] == languages, f"README.md has programs in {[one for one, _ in found]}")
    for (language, text), (_, expected) in zip(found, EXPECTED):
        with Simulator(building.target() / "atlas-simulator") as atlas, tempfile.TemporaryDirectory() as directory:
            order = atlas.order(state="ticketed", airline="Y4")
            environment = {"ATLAS_URL": atlas.url, "ORDER_NO": order, "STORE": f"{directory}/cases.db", "PYTHONPATH": str(PYTHON)}
            command = command_of(language, text)
            done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, timeout=900)
            output = done.stdout + done.stderr
            result.check(done.returncode == 0 and expected in output, f"README's {language} program:\n{output[-800:]}")
            # Again, as after a crash: nothing is submitted twice.
            if "STORE" in text:
                again = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, timeout=900)
                result.check(expected in again.stdout, f"README's {language} program, run again:\n{again.stdout[-800:]}{again.stderr[-800:]}")
                submits = [row for row in atlas.get("ledger")["entries"] if row["endpoint"] in ("void", "refund")]
                result.check(len(submits) == 1, f"README's {language} program, run twice, submits {len(submits)} times")
