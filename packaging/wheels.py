"""`make wheels`: the Python package and the simulator as wheels, and their sdists, in dist/wheels.

    python3 packaging/wheels.py [--light] [--vendored] [--out DIRECTORY] [TARGET...]      targets: see TARGETS

--light takes the development profile and this machine's glibc: quick, large, and for tests. Otherwise the release profile
is built by zig for manylinux2014 (glibc 2.17) or musllinux. --vendored also packs the sdist with the sources of all crates,
which builds without a network. maturin and zig are installed from PyPI into build/zig. Standard library only.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import dist
import notices
from dist import VERSION
from notices import ROOT

MATURIN = "maturin==1.16.0"
PROJECTS = (ROOT / "py", ROOT / "py/simulator")
TARGETS = {
    "x86_64-gnu": ("x86_64-unknown-linux-gnu", "manylinux2014"),
    "aarch64-gnu": ("aarch64-unknown-linux-gnu", "manylinux2014"),
    "x86_64-musl": ("x86_64-unknown-linux-musl", "musllinux_1_2"),
    "aarch64-musl": ("aarch64-unknown-linux-musl", "musllinux_1_2"),
}
VENDORED = '[source.crates-io]\nreplace-with = "vendored-sources"\n[source.vendored-sources]\ndirectory = "vendor"\n'


def tools() -> Path:
    """The folder with maturin and zig."""
    home = dist.tools()
    if not (home / "maturin").exists():
        run(home / "python", "-m", "pip", "install", "-q", MATURIN)
    return home


def run(*command: str | Path, cwd: Path = ROOT, **environment: str) -> None:
    words = [str(word) for word in command]
    if subprocess.run(words, cwd=cwd, env=os.environ | environment, stdout=sys.stderr).returncode != 0:
        sys.exit(f"`{' '.join(words)}` failed")


def maturin(*arguments: str | Path, cwd: Path, **environment: str) -> None:
    run(tools() / "maturin", *arguments, cwd=cwd, PATH=f"{tools()}:{os.environ['PATH']}", **environment)


def wheels(out: Path, target: str, light: bool) -> None:
    triple, compatibility = TARGETS[target]
    options: list[str | Path] = ["build", "--strip", "--out", out]
    environment: dict[str, str] = {}
    if light:
        options += ["--compatibility", "linux"]
    else:
        home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
        # The builder's folders are not in a release.
        flags = [f"--remap-path-prefix={home}=/cargo", f"--remap-path-prefix={ROOT}=/src"]
        environment["RUSTFLAGS"] = " ".join(flags)
        options += ["--release", "--zig", "--compatibility", compatibility, "--target", triple]
    third_party = ROOT / "py/LICENSE-THIRD-PARTY"
    with tempfile.TemporaryDirectory() as directory:
        bill = Path(directory) / "atlas-postbooking.cdx.json"
        crates = notices.crates(triple, "atlas-postbooking-py")
        bill.write_text(notices.bill_of_materials(crates, VERSION))
        third_party.write_text(notices.third_party(crates))
        try:
            maturin(*options, "--sbom-include", bill, cwd=PROJECTS[0], **environment)
        finally:
            third_party.unlink()
    maturin(*options, cwd=PROJECTS[1], **environment)


def sdist(project: Path, out: Path, vendored: bool) -> None:
    """A source distribution whose lock file names what is in it and no more, so that --locked accepts it."""
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        maturin("sdist", "--out", place, cwd=project)
        (packed,) = place.glob("*.tar.gz")
        with tarfile.open(packed) as archive:
            archive.extractall(place, filter="data") if hasattr(tarfile, "data_filter") else archive.extractall(place)
        tree = place / packed.name.removesuffix(".tar.gz")
        # Versions stay as they are locked; what only other members of the workspace use is taken out.
        run("cargo", "update", "--quiet", "--workspace", "--offline", cwd=tree)
        dist.pack(tree, out / packed.name, 9)
        if vendored:
            run("cargo", "vendor", "--quiet", "--locked", "vendor", cwd=tree)
            (tree / ".cargo").mkdir()
            (tree / ".cargo/config.toml").write_text(VENDORED)
            again = tree.rename(tree.with_name(f"{tree.name}-vendored"))
            dist.pack(again, out / f"{again.name}.tar.gz", 6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--light", action="store_true")
    parser.add_argument("--vendored", action="store_true")
    parser.add_argument("--out", type=Path, default=ROOT / "dist/wheels")
    arguments = parser.parse_args()
    for name in arguments.targets:
        if name not in TARGETS:
            parser.error(f"no target is called {name}; there are {', '.join(TARGETS)}")
    out: Path = arguments.out.absolute()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    for project in PROJECTS:
        sdist(project, out, arguments.vendored and project is PROJECTS[0])
    for target in arguments.targets or ["x86_64-gnu"]:
        wheels(out, target, arguments.light)
    files = sorted(out.iterdir())
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (out / "SHA256SUMS").write_text("".join(sums))
    print("".join(f"{path}\n" for path in files), end="")


if __name__ == "__main__":
    main()
