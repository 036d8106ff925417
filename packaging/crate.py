"""`make package`: the Rust crates as a registry would have them. Standard library only.

    python packaging/crate.py

Packs `atlas-postbooking` and the crate below it, checks what is in them, and builds the library from the packed files
with the oldest Rust that Cargo.toml promises. Without that compiler (rustup fetches it) the build is with the one that is
there, and the last line says so.
"""

import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from dist import ROOT, cargo_directory, run  # noqa: E402

LOCKS = "atlas-postbooking-sqlite-locks"
CRATES = (LOCKS, "atlas-postbooking")
NEEDED = {"Cargo.toml", "Cargo.lock", "LICENSE-APACHE", "LICENSE-MIT", "src/lib.rs"}
# What a registry takes is ten times as much.
LARGEST = 1_000_000


def stated(key: str) -> str:
    """A value that all crates of the workspace share."""
    found = re.search(rf'^{key} = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)
    assert found, key
    return found[1]


def unpacked(crate: str, out: Path) -> Path:
    """The folder of a packed crate, after a look at what is in it."""
    name = f"{crate}-{stated('version')}"
    file = cargo_directory() / "package" / f"{name}.crate"
    with tarfile.open(file) as packed:
        packed.extractall(out)
    folder = out / name
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    missing = NEEDED - files
    foreign = {path for path in files if not path.startswith("src/")} - NEEDED - {"Cargo.toml.orig", ".cargo_vcs_info.json"}
    if missing or foreign or file.stat().st_size > LARGEST:
        sys.exit(f"{file.name}: missing {sorted(missing)}, not expected {sorted(foreign)}, {file.stat().st_size} bytes")
    print(f"{file.name}: {len(files)} files, {file.stat().st_size} bytes")
    return folder


def oldest_rust() -> list[str]:
    """How cargo of the promised version is called; empty if it cannot be had."""
    version = stated("rust-version")
    if shutil.which("rustup") is None:
        return []
    toolchain = f"+{version}"
    if subprocess.run(["cargo", toolchain, "--version"], capture_output=True).returncode == 0:
        return [toolchain]
    installed = subprocess.run(["rustup", "toolchain", "install", version, "--profile", "minimal"], capture_output=True)
    return [toolchain] if installed.returncode == 0 else []


def main() -> None:
    run("cargo", "package", "--quiet", "--no-verify", "--allow-dirty", *(word for crate in CRATES for word in ("-p", crate)))
    # Not below the workspace, to which cargo would count them.
    with tempfile.TemporaryDirectory() as out:
        check({crate: unpacked(crate, Path(out)) for crate in CRATES})


def check(folders: dict[str, Path]) -> None:
    """Builds the library from the packed files alone."""
    # The crate below is on no registry yet.
    patch = f'patch.crates-io.{LOCKS}.path="{folders[LOCKS]}"'
    rust = oldest_rust()
    target = cargo_directory() / "oldest-rust"
    command = ["cargo", *rust, "check", "--quiet", "--lib", "--manifest-path", folders["atlas-postbooking"] / "Cargo.toml"]
    run(*command, "--config", patch, "--target-dir", target)
    if rust:
        print(f"built from the package with Rust {rust[0].removeprefix('+')}")
    else:
        print(f"SKIPPED: Rust {stated('rust-version')} is not here; built from the package with the one that is")


if __name__ == "__main__":
    main()
