"""Runs the blocks of docs/guide/command-line.md, in order, with the simulator: each `$ ` line is a command of one shell."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import building
from building import PYTHON, ROOT
from results import SuiteResult
from simulator import Simulator

PAGE = ROOT / "docs/guide/command-line.md"


def blocks() -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """The heading of each block, and its commands with the lines that they print."""
    found: list[tuple[str, list[tuple[str, list[str]]]]] = []
    heading = ""
    for part in re.split(r"^(## .*)$", PAGE.read_text(), flags=re.MULTILINE):
        if part.startswith("## "):
            heading = part[3:]
        for block in re.findall(r"^```console\n(.*?)^```", part, re.MULTILINE | re.DOTALL):
            commands: list[tuple[str, list[str]]] = []
            for line in block.splitlines():
                if line.startswith("$ "):
                    commands.append((line[2:], []))
                else:
                    commands[-1][1].append(line)
            found.append((heading, commands))
    return found


def agrees(wanted: list[str], printed: str) -> bool:
    """Whether the lines stand in the output in this order; a line that is `…` is any number of lines, in a line any text."""
    pattern = ""
    for line in wanted:
        pattern += r"(?:.*\n)*?" if line.strip() == "…" else ".*".join(re.escape(part) for part in line.split("…")).replace(r"\ \ ", " +") + r" *\n"
    # Columns are as wide as what is in them.
    pattern = re.sub(r"(?:\\ |\s\+)+", " +", pattern)
    return re.fullmatch(pattern, printed) is not None


class Scene:
    """The vendor and the orders of the page."""

    def __init__(self, atlas: Simulator, directory: Path, interpreter: Path) -> None:
        self.atlas, self.directory = atlas, directory
        atlas.post("profile", quoteAfterRefund="0")
        self.orders = {name: atlas.order(airline="F9", fare="84.75", passengers=2) for name in ("FIRST", "LOST", "DOUBLE", "ODD")}
        (directory / "secret").write_text("secret-of-tests\n")
        (directory / "secret").chmod(0o600)
        bin_directory = directory / "bin"
        bin_directory.mkdir()
        program = bin_directory / "atlas-postbooking"
        program.write_text(f'#!/bin/sh\nexec "{interpreter}" -m atlas_postbooking.cli "$@"\n')
        program.chmod(0o755)
        (directory / "config.json").write_text(f'{{"clock": {{"url": "{atlas.url}/_sim/clock"}}, "settleMs": 60000}}')
        self.environment = {
            **os.environ, **self.orders, "PATH": f"{bin_directory}:{os.environ['PATH']}", "PYTHONPATH": str(PYTHON),
            "ATLAS_CONFIG": "config.json", "ATLAS_BASE_URL": atlas.url, "ATLAS_CLIENT_ID": "id-of-desk",
            "ATLAS_CLIENT_SECRET_FILE": str(directory / "secret"), "ATLAS_STORE": str(directory / "desk.db"),
            "XDG_STATE_HOME": str(directory / "state"),
        }  # fmt: skip
        rows = "".join(f"{atlas.order(airline='F9', fare='84.75')};void;USD;20,00\r\n" for _ in range(2))
        (directory / "orders.csv").write_text("order_no;kind;currency;min_refund\r\n" + rows)

    def before(self, command: str) -> None:
        """What happens at the vendor, or elsewhere, before a command of the page."""
        if "$LOST" in command:
            self.atlas.post("faults", endpoint="refund", mode="drop_after")
        if "$DOUBLE" in command and "refund" in command:
            self.atlas.post("profile", refundQueryWithoutCode="list")
            self.shell(f"ATLAS_STORE={self.directory / 'web.db'} atlas-postbooking refund $DOUBLE --key web-1 --live")
        if "--stuck" in command:
            self.atlas.post("profile", refundQueryWithoutCode="810")
            self.shell(f"ATLAS_STORE={self.directory / 'web.db'} atlas-postbooking refund $ODD --key web-2 --live")
            self.shell("atlas-postbooking refund $ODD --key desk-4 --live")
            self.atlas.post("clock", advance="2m")
            self.shell("atlas-postbooking cases reconcile desk-4")
        if "cases changes" in command:
            # What was there before is known to the reader of the page.
            listed = self.shell("atlas-postbooking --json cases changes --since 0")
            before = [case["change"] for case in json.loads(listed)["cases"] if case["key"] != "desk-4"]
            self.shell("mkdir -p $XDG_STATE_HOME; atlas-postbooking cases changes > /dev/null")
            (seen,) = (self.directory / "state").rglob("seen-*")
            seen.write_text(f"{max(before)}\n")

    def shell(self, command: str) -> str:
        words = ["sh", "-c", f"{command} 2>&1" if "||" not in command else f"{{ {command}; }} 2>&1"]
        done = subprocess.run(words, cwd=self.directory, env=self.environment, capture_output=True, text=True, timeout=120)
        return done.stdout


def check(result: SuiteResult, interpreter: Path) -> None:
    with tempfile.TemporaryDirectory() as directory, Simulator(building.target() / "atlas-simulator") as atlas:
        scene = Scene(atlas, Path(directory), interpreter)
        for heading, commands in blocks():
            for command, wanted in commands:
                scene.before(command)
                printed = scene.shell(command)
                result.check(agrees(wanted, printed), f"command-line.md, {heading}: $ {command}\n{printed}")
        result.check((Path(directory) / "report.html").exists(), "no report was written")
        result.check(shutil.which("atlas-postbooking", path=scene.environment["PATH"]) is not None, "the command is not found")
