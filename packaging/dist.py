"""`make dist`: one archive for each target, of what a C or C++ program needs, and a Debian package, in dist/.

    python3 packaging/dist.py [--light] [--out DIRECTORY] [TARGET...]      targets: see TARGETS

--light takes the development build for this machine as it is: quick, large, and for any glibc; it is for tests.
Otherwise the release profile is built by zig, which is installed from PyPI into build/zig. Standard library only.
"""

import argparse
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
from dataclasses import dataclass
from pathlib import Path

import links
import notices
from notices import ROOT

ZIG = ["ziglang==0.17.1", "cargo-zigbuild==0.24.1"]
GLIBC = "2.17"
VERSION = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]  # type: ignore[index]
# Of the ABI; then the version's minor and patch number.
SONAME = "libatlas_postbooking.so.1"
REAL_NAME = ".".join([SONAME, *VERSION.split(".")[1:]])


@dataclass
class Target:
    triple: str
    debian: str
    # What the binutils of the target are called before their names.
    prefix: str = ""

    @property
    def is_musl(self) -> bool:
        return self.triple.endswith("musl")

    @property
    def zig(self) -> str:
        architecture = self.triple.split("-")[0]
        return f"{architecture}-linux-musl" if self.is_musl else f"{architecture}-linux-gnu.{GLIBC}"


TARGETS = {
    "x86_64-gnu": Target("x86_64-unknown-linux-gnu", "amd64"),
    "aarch64-gnu": Target("aarch64-unknown-linux-gnu", "arm64", "aarch64-linux-gnu-"),
    # The core does not compile for these yet.
    "x86_64-musl": Target("x86_64-unknown-linux-musl", ""),
    "aarch64-musl": Target("aarch64-unknown-linux-musl", "", "aarch64-linux-gnu-"),
}


def run(*command: str | Path, **environment: str) -> None:
    words = [str(word) for word in command]
    if subprocess.run(words, cwd=ROOT, env=os.environ | environment).returncode != 0:
        sys.exit(f"`{' '.join(words)}` failed")


def cargo_directory() -> Path:
    base = Path(os.environ.get("CARGO_TARGET_DIR", "target"))
    return base if base.is_absolute() else ROOT / base


def tools() -> Path:
    """The folder with zig and cargo-zigbuild."""
    home = ROOT / "build/zig"
    if not (home / "bin/cargo-zigbuild").exists():
        venv.create(home, with_pip=True)
        run(home / "bin/python", "-m", "pip", "install", "-q", *ZIG)
    return home / "bin"


def built(target: Target) -> Path:
    """The folder with the release build of a target. The builder's folders are not in it."""
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    flags = [f"--remap-path-prefix={home}=/cargo", f"--remap-path-prefix={ROOT}=/src"]
    if target.is_musl:
        flags += ["-C", "target-feature=-crt-static"]
    triple = target.triple if target.is_musl else f"{target.triple}.{GLIBC}"
    # The simulator is a program of the same target.
    packages = ["-p", "atlas-postbooking-c", "-p", "atlas-simulator"]
    path = f"{tools()}:{os.environ['PATH']}"
    run("cargo", "zigbuild", "--release", *packages, "--target", triple, PATH=path, RUSTFLAGS=" ".join(flags))
    return cargo_directory() / target.triple / "release"


def lone_archive(target: Target, source: Path, out: Path) -> None:
    """One object in which only apb_* is global, so that it meets no other copy of SQLite, ring or Rust's library."""
    every, one = out.with_suffix(".all.o"), out.with_name("atlas_postbooking.o")
    run(f"{target.prefix}ld", "-r", "--whole-archive", "--force-group-allocation", source, "-o", every)
    hidden = ["-w", "--keep-global-symbol", "apb_*", "-R", ".llvmbc", "-R", ".llvmcmd", "--strip-debug"]
    run(f"{target.prefix}objcopy", *hidden, every, one)
    out.unlink(missing_ok=True)
    run(f"{target.prefix}ar", "rcsD", out, one)
    every.unlink()
    one.unlink()


def shared_library(target: Target, light: bool, archive: Path, out: Path) -> None:
    """Linked from the archive, since cargo's own link has no place for the version of the symbols."""
    linker = [os.environ.get("CC", "cc"), "-static-libgcc"]
    if not light:
        linker = [str(tools() / "python"), "-m", "ziglang", "cc", "-target", target.zig]
    options = [f"--version-script={ROOT / 'packaging/apb.map'}", f"-soname,{SONAME}", "-z,nodelete", "-z,now", "-z,defs", "-s"]
    whole = ["-Wl,--whole-archive", archive, "-Wl,--no-whole-archive"]
    # Without libunwind, zig would leave the unwinder undefined.
    system = [*([] if light else ["-lunwind"]), "-lpthread", "-ldl", "-lm"]
    run(*linker, "-shared", "-o", out, *whole, *(f"-Wl,{option}" for option in options), *system)
    for name in (SONAME, "libatlas_postbooking.so"):
        (out.parent / name).unlink(missing_ok=True)
        (out.parent / name).symlink_to(out.name if name == SONAME else SONAME)


def fill_in(template: str, out: Path, include: str) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    text = (ROOT / "ffi-c" / template).read_text()
    out.write_text(text.replace("@INCLUDE@", include).replace("@VERSION@", VERSION))


# The bindings over the shared library.
RUNTIMES = ("cobol", "go", "java", "luajit", "mono", "node", "pascal", "perl", "php", "ruby", "tcl")


def copy(out: Path, *names: str) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, out / source.name)
        else:
            shutil.copy2(source, out)


def relink_documents(prefix: Path, share: Path, documents: Path) -> None:
    """Lets the links of the documents lead to where the files are in an archive."""
    places = {
        ROOT / "docs": documents,
        ROOT / "examples": share / "examples",
        ROOT / "tests/simulator": share / "simulator",
        ROOT / "include": prefix / "include",
        ROOT: documents,
    }
    for document in prefix.rglob("*.md"):
        sources = [old / document.relative_to(new) for old, new in places.items() if new in document.parents]
        links.relink(document, next(source for source in sources if source.exists()), places)


def stage(target: Target, light: bool, source: Path, prefix: Path) -> None:
    """Everything that is installed, below a prefix."""
    shutil.rmtree(prefix, ignore_errors=True)
    copy(prefix / "include", *(f"include/atlas_postbooking.{kind}" for kind in ("h", "hpp", "ffi.h")))
    lib = prefix / "lib"
    lib.mkdir()
    lone_archive(target, source / "libatlas_postbooking.a", lib / "libatlas_postbooking.a")
    shared_library(target, light, lib / "libatlas_postbooking.a", lib / REAL_NAME)
    fill_in("atlas_postbooking.pc.in", lib / "pkgconfig/atlas_postbooking.pc", "../../include")
    for name in ("atlas_postbookingConfig.cmake", "atlas_postbookingConfigVersion.cmake"):
        fill_in(f"cmake/{name}.in", lib / "cmake/atlas_postbooking" / name, "../../../include")
    shutil.copy2(ROOT / "packaging/install.mk", prefix / "Makefile")
    share, documents = prefix / "share/atlas_postbooking", prefix / "share/doc/atlas_postbooking"
    copy(share, "include/abi.json")
    copy(share / "simulator", "tests/simulator/README.md")
    shutil.copy2(source / "atlas-simulator", share / "simulator")
    run(f"{target.prefix}strip", share / "simulator/atlas-simulator")
    copy(share / "examples", "examples/c", "examples/cpp", "packaging/examples/Makefile", "packaging/examples/CMakeLists.txt")
    copy(share / "examples", *(f"examples/{runtime}" for runtime in RUNTIMES))
    copy(documents, "README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE", "SECURITY.md", "docs/reference.md", "docs/guide")
    relink_documents(prefix, share, documents)
    crates = notices.crates(target.triple)
    (documents / "THIRD-PARTY.txt").write_text(notices.third_party(crates))
    (documents / "sbom.cdx.json").write_text(notices.bill_of_materials(crates, VERSION))


def epoch() -> int:
    """The time of every file: that of the commit, so that two builds give the same bytes."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is None:
        done = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True)
        given = done.stdout.strip() or "0"
    return int(given)


def pack(tree: Path, out: Path, level: int) -> None:
    def plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        info.mtime = epoch()
        info.mode = 0o755 if info.isdir() or info.mode & 0o100 else 0o644
        return info

    with open(out, "wb") as file, gzip.GzipFile("", "wb", level, file, mtime=0) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive:
            archive.add(tree, tree.name, filter=plain)


def debian(target: Target, tree: Path, out: Path) -> None:
    """The same files below /usr, in the folder of the architecture's libraries."""
    root = tree.with_name("debian")
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(tree, root / "usr", symlinks=True, ignore=lambda place, _: {"Makefile"} if Path(place) == tree else set())
    triple = target.triple.replace("-unknown", "")
    (root / "usr/lib").rename(root / "usr/moved")
    (root / "usr/lib").mkdir()
    lib = root / "usr/lib" / triple
    (root / "usr/moved").rename(lib)
    fill_in("atlas_postbooking.pc.in", lib / "pkgconfig/atlas_postbooking.pc", "../../../include")
    for name in ("atlas_postbookingConfig.cmake", "atlas_postbookingConfigVersion.cmake"):
        fill_in(f"cmake/{name}.in", lib / "cmake/atlas_postbooking" / name, "../../../../include")
    control = root / "DEBIAN"
    control.mkdir()
    fields = {
        "Package": "libatlas-postbooking-dev", "Version": VERSION, "Architecture": target.debian, "Section": "libdevel",
        "Maintainer": "the atlas-postbooking maintainers <maintainers@invalid>", "Depends": f"libc6 (>= {GLIBC})",
        "Description": "post-booking calls of the Atlas flight API: refunds, voids, ancillaries",
    }  # fmt: skip
    (control / "control").write_text("".join(f"{name}: {value}\n" for name, value in fields.items()))
    (control / "triggers").write_text("activate-noawait ldconfig\n")
    run("dpkg-deb", "--root-owner-group", "-Zgzip", "-b", root, out, SOURCE_DATE_EPOCH=str(epoch()))
    shutil.rmtree(root)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--light", action="store_true")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    arguments = parser.parse_args()
    wanted = arguments.targets or (["x86_64-gnu"] if arguments.light else ["x86_64-gnu", "aarch64-gnu"])
    for name in wanted:
        if name not in TARGETS:
            parser.error(f"no target is called {name}; there are {', '.join(TARGETS)}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    files = []
    for name in wanted:
        target = TARGETS[name]
        tree = arguments.out / f"atlas-postbooking-{VERSION}-linux-{name}"
        stage(target, arguments.light, cargo_directory() / "debug" if arguments.light else built(target), tree)
        files.append(tree.with_name(tree.name + ".tar.gz"))
        pack(tree, files[-1], 1 if arguments.light else 9)
        if target.debian and not arguments.light and shutil.which("dpkg-deb"):
            files.append(arguments.out / f"libatlas-postbooking-dev_{VERSION}_{target.debian}.deb")
            debian(target, tree, files[-1])
        shutil.rmtree(tree)
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (arguments.out / "SHA256SUMS").write_text("".join(sums))
    print("".join(f"{path}\n" for path in files), end="")


if __name__ == "__main__":
    main()
