"""The programs in README.md, taken out and run against the simulator."""

import os
import re
import subprocess
import sys
import tempfile

import building
from building import BUILD, PYTHON, ROOT
from simulator import Simulator
from tally import Tally

FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


# What each program must say, in the order of the page.
SAID = [
    ("python", "voided: "),
    ("c", '"isVoidable":true'),
    # Its offer id is no offer, so the vendor says no.
    ("cpp", "it did not: "),
    ("rust", "voided: Some"),
    ("python", "open cases: 1 - this one: executed atlas_processing"),
    ("c", '"outcome":"executed","state":"atlas_processing"'),
]


def snippets() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = FENCE.findall((ROOT / "README.md").read_text())
    return [(language, text) for language, text in found if language in dict(SAID)]


def rust_command(text: str) -> list[str]:
    """A package outside of the workspace that depends on the core, as a reader would make it."""
    home = BUILD / "readme-rust"
    (home / "src").mkdir(parents=True, exist_ok=True)
    (home / "src/main.rs").write_text(text)
    (home / "Cargo.toml").write_text(
        '[package]\nname = "readme"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n'
        # The profile of the workspace, so that what it has built already is taken from its target directory.
        '[profile.dev]\nopt-level = 1\ndebug = "line-tables-only"\n'
        f'[dependencies]\natlas-postbooking = {{ path = "{ROOT / "core"}" }}\n'
    )
    (home / "Cargo.lock").write_bytes((ROOT / "Cargo.lock").read_bytes())
    return ["cargo", "run", "--quiet", "--manifest-path", str(home / "Cargo.toml"), "--target-dir", str(building.target().parent)]


def native_command(ending: str, text: str) -> list[str]:
    source = BUILD / f"readme.{ending}"
    source.write_text(text)
    return [str(building.program(source, name=f"readme-{ending}"))]


def command_of(language: str, text: str) -> list[str]:
    """How to run a snippet."""
    match language:
        case "python":
            script = BUILD / "readme.py"
            script.write_text(text)
            return [sys.executable, str(script)]
        case "rust":
            return rust_command(text)
        case _:
            return native_command(language, text)


def check(tally: Tally) -> None:
    found = snippets()
    languages = [language for language, _ in SAID]
    tally.check([language for language, _ in found] == languages, f"README.md has programs in {[one for one, _ in found]}")
    for (language, text), (_, wanted) in zip(found, SAID):
        with Simulator(building.target() / "atlas-simulator") as atlas, tempfile.TemporaryDirectory() as place:
            order = atlas.order(state="ticketed", airline="Y4")
            surroundings = {"ATLAS_URL": atlas.url, "ORDER_NO": order, "STORE": f"{place}/cases.db", "PYTHONPATH": str(PYTHON)}
            command = command_of(language, text)
            done = subprocess.run(command, env=os.environ | surroundings, capture_output=True, text=True, timeout=900)
            said = done.stdout + done.stderr
            tally.check(done.returncode == 0 and wanted in said, f"README's {language} program:\n{said[-800:]}")
            # As after a crash: the same program once more.
            if "STORE" in text:
                again = subprocess.run(command, env=os.environ | surroundings, capture_output=True, text=True, timeout=900)
                tally.check(wanted in again.stdout, f"README's {language} program, run again:\n{again.stdout[-800:]}{again.stderr[-800:]}")
                submits = [row for row in atlas.get("ledger")["entries"] if row["endpoint"] in ("void", "refund")]
                tally.check(len(submits) == 1, f"README's {language} program, run twice, submits {len(submits)} times")
