"""The programs in README.md, taken out and run against the simulator."""

import os
import re
import subprocess
import sys

import building
from building import BUILD, PYTHON, ROOT
from simulator import Simulator
from tally import Tally

FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def snippets() -> dict[str, str]:
    return {language: text for language, text in FENCE.findall((ROOT / "README.md").read_text())}


def rust_command(text: str) -> list[str]:
    """A package outside of the workspace that depends on the core, as a reader would make it."""
    home = BUILD / "readme-rust"
    (home / "src").mkdir(parents=True, exist_ok=True)
    (home / "src/main.rs").write_text(text)
    (home / "Cargo.toml").write_text(
        '[package]\nname = "readme"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n'
        f'[dependencies]\natlas-postbooking = {{ path = "{ROOT / "core"}" }}\n'
    )
    (home / "Cargo.lock").write_bytes((ROOT / "Cargo.lock").read_bytes())
    # Its own target directory: another workspace would build everything anew over ours.
    return ["cargo", "run", "--quiet", "--manifest-path", str(home / "Cargo.toml"), "--target-dir", str(BUILD / "readme-target")]


def native_command(ending: str, text: str) -> list[str]:
    source = BUILD / f"readme.{ending}"
    source.write_text(text)
    return [str(building.program(source, name=f"readme-{ending}"))]


def command_of(language: str, text: str) -> tuple[list[str], str]:
    """How to run a snippet, and what it must say."""
    match language:
        case "python":
            script = BUILD / "readme.py"
            script.write_text(text)
            return [sys.executable, str(script)], "voided: "
        case "rust":
            return rust_command(text), "voided: Some"
        case "c":
            return native_command("c", text), '"isVoidable":true'
        case _:
            # Its offer id is no offer, so the vendor says no.
            return native_command("cpp", text), "it did not: "


def check(tally: Tally) -> None:
    found = snippets()
    for language in ("python", "c", "cpp", "rust"):
        tally.check(language in found, f"README.md has no {language} program")
        with Simulator(building.target() / "atlas-simulator") as atlas:
            order = atlas.order(state="ticketed", airline="Y4")
            environment = os.environ | {"ATLAS_URL": atlas.url, "ORDER_NO": order, "PYTHONPATH": str(PYTHON)}
            command, wanted = command_of(language, found.get(language, ""))
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900)
            said = done.stdout + done.stderr
            tally.check(done.returncode == 0 and wanted in said, f"README's {language} program:\n{said[-800:]}")
