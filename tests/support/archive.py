"""The archive that `make dist` makes: its files by readelf and nm, and programs built from it where there is no cargo.

    python tests/support/archive.py ARCHIVE      a release's; glibc, size and the builder's folders are checked then
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / "packaging"))

import links  # noqa: E402
from building import BUILD, LIB, PYTHON, ROOT, target  # noqa: E402
from results import SuiteResult, table  # noqa: E402
from simulator import Simulator  # noqa: E402

LARGEST = 12 << 20
GLIBC = (2, 17)
# The second owner of the names that a static archive must not have: SQLite in a host.
NEIGHBOUR = """\
#include "atlas_postbooking.h"
#include <stdio.h>
int sqlite3_libversion_number(void) { return 3; }       /* the host's own */
int sqlite3_initialize(void) { return 77; }
int rust_eh_personality(void) { return 5; }             /* another Rust library's */
int main(void)
{
    apb_client *client = NULL;
    apb_reply *reply = NULL;
    if (apb_client_new("{\\"baseUrl\\":\\"http://127.0.0.1:1\\",\\"clientId\\":\\"a\\",\\"clientSecret\\":\\"b\\",\\"store\\":{\\"path\\":\\"neighbour.db\\"}}",
                       APB_ZSTR, &client, &reply) != APB_OK) return puts(apb_reply_message(reply)), 1;
    apb_case_stats(client, "{}", APB_ZSTR, &reply);     /* opens the store with the library's own SQLite */
    if (apb_reply_status(reply) != APB_OK) return puts(apb_reply_message(reply)), 2;
    apb_reply_free(reply);
    apb_client_free(client);
    return sqlite3_initialize() == 77 ? 0 : 3;
}
"""


def output(*command: object) -> str:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True).stdout


def without_cargo() -> dict[str, str]:
    """An environment in which neither Rust nor this tree is found."""
    folders = [f for f in os.environ["PATH"].split(":") if not any((Path(f) / tool).exists() for tool in ("cargo", "rustc"))]
    return {"PATH": ":".join(folders), "HOME": "/nonexistent", "LC_ALL": "C"}


def unpacked(archive: Path, place: Path) -> Path:
    shutil.rmtree(place, ignore_errors=True)
    with tarfile.open(archive) as file:
        file.extractall(place)
    (tree,) = place.iterdir()
    return tree


def check_files(result: SuiteResult, tree: Path) -> None:
    """Only apb_* can be seen, with a version in the shared library; nothing is needed but the C library's family."""
    shared, static = tree / "lib/libatlas_postbooking.so.1", tree / "lib/libatlas_postbooking.a"
    declared = {f["name"] for f in json.loads((ROOT / "include/abi.json").read_text())["functions"]}
    exported = [line.split() for line in output("nm", "-D", "--defined-only", "--with-symbol-versions", shared).splitlines()]
    names = {words[-1] for words in exported if words[1] != "A"}
    result.check(names == {f"{name}@@APB_1" for name in declared}, f"exported: {sorted(names)[:5]}")
    visible = output("nm", "--defined-only", "-g", static).splitlines()
    names = {line.split()[-1] for line in visible if len(line.split()) == 3}
    result.check(names == declared, f"global in the archive: {sorted(names - declared)[:5]}, missing: {sorted(declared - names)[:5]}")
    dynamic = output("readelf", "-d", shared)
    result.check("[libatlas_postbooking.so.1]" in dynamic and "NODELETE" in dynamic, "soname or NODELETE is missing")
    needed = set(re.findall(r"NEEDED.*\[(\w[\w-]*)\.", dynamic))
    result.check(needed <= {"libc", "libm", "libpthread", "libdl", "ld-linux-x86-64", "ld-linux-aarch64"}, f"needs {needed}")
    real = shared.resolve().name
    result.check(re.fullmatch(r"libatlas_postbooking\.so\.1\.\d+\.\d+", real) is not None, f"the library is called {real}")
    documents = tree / "share/doc/atlas_postbooking"
    notices = (documents / "THIRD-PARTY.txt").read_text()
    for name in ("ring ", "rustls ", "SQLite: public domain"):
        result.check(name in notices, f"{name} is not in THIRD-PARTY.txt")
    result.check('"name": "sqlite"' in (documents / "sbom.cdx.json").read_text(), "SQLite is not in the bill of materials")


def check_release(result: SuiteResult, archive: Path, tree: Path) -> None:
    """What only a release keeps: its size, the oldest glibc, and that it does not tell where it was built."""
    result.check(archive.stat().st_size <= LARGEST, f"{archive.name} has {archive.stat().st_size} bytes")
    for library in (tree / "lib/libatlas_postbooking.so.1", tree / "lib/libatlas_postbooking.a"):
        versions = re.findall(r"GLIBC_(\d+)\.(\d+)", output("objdump", "-T", library))
        newest = max(((int(a), int(b)) for a, b in versions), default=(0, 0))
        result.check(newest <= GLIBC, f"{library.name} wants glibc {newest}")
        data = library.read_bytes()
        for folder in (str(ROOT), str(Path.home() / ".cargo")):
            result.check(folder.encode() not in data, f"{folder} is in {library.name}")


def check_programs(result: SuiteResult, tree: Path) -> None:
    """Every way to build from the archive, and a void with what was built, against the simulator of the archive."""
    environment = without_cargo()
    result.check(shutil.which("cargo", path=environment["PATH"]) is None, "cargo is still found")
    work = tree.parent / "programs"
    examples = tree / "share/atlas_postbooking/examples"

    def done(what: str, *command: object, cwd: Path = work) -> bool:
        words = [str(word) for word in command]
        ran = subprocess.run(words, cwd=cwd, capture_output=True, text=True, env=environment)
        result.check(ran.returncode == 0, f"{what}: {ran.stdout[-600:]}{ran.stderr[-600:]}")
        return ran.returncode == 0

    work.mkdir()
    programs: dict[str, Path] = {}
    for form, more in (("shared", []), ("static", ["STATIC=1"])):
        if done(f"make, {form}", "make", "-s", "-f", examples / "Makefile", f"OUT={form}", "CFLAGS=-O0", "CXXFLAGS=-O0", *more):
            programs |= {f"C, {form}": work / form / "void", f"C++, {form}": work / form / "void-cpp"}
    if shutil.which("cmake"):
        configure = ["cmake", "-S", examples, "-B", work / "cmake", f"-DCMAKE_PREFIX_PATH={tree}"]
        if done("cmake", *configure) and done("cmake --build", "cmake", "--build", work / "cmake", "-j2"):
            names = ("void-shared", "void-static", "void-cpp-shared", "void-cpp-static")
            programs |= {f"CMake, {name}": work / "cmake" / name for name in names}
    else:
        result.skipped += 1
    if shutil.which("pkg-config"):
        environment["PKG_CONFIG_PATH"] = str(tree / "lib/pkgconfig")
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "atlas_postbooking"], capture_output=True, text=True, env=environment)
        source = [examples / "c/void.c", "-D_POSIX_C_SOURCE=200809L", "-o", work / "pkg-config"]
        if done("pkg-config", "cc", *source, *flags.stdout.split(), f"-Wl,-rpath,{tree / 'lib'}"):
            programs["pkg-config"] = work / "pkg-config"
    else:
        result.skipped += 1
    for name, program in programs.items():
        with Simulator(tree / "share/atlas_postbooking/simulator/atlas-simulator", "--seed", "7") as atlas:
            order = atlas.order(airline="F9", passengers=2, segments=2, fare="84.75")
            done(name, program, atlas.url, order)
            executed = [row for row in atlas.get("ledger")["entries"] if row["executed"] and row["endpoint"] == "void"]
            result.check(len(executed) == 1, f"{name}: {len(executed)} voids in the ledger")
    linked = output("ldd", work / "static/void")
    result.check("atlas_postbooking" not in linked, "the static program wants the shared library")
    (work / "neighbour.c").write_text(NEIGHBOUR)
    libraries = [tree / "lib/libatlas_postbooking.a", "-lpthread", "-ldl", "-lm"]
    if done("beside another SQLite", "cc", f"-I{tree / 'include'}", "neighbour.c", *libraries, "-o", "neighbour"):
        done("beside another SQLite", work / "neighbour")
    # Every symbol is bound when it is loaded, in a program that has no unwinder of its own.
    load = f"import ctypes, os; ctypes.CDLL({str(tree / 'lib/libatlas_postbooking.so.1')!r}, os.RTLD_NOW).apb_abi_version()"
    done("dlopen", sys.executable, "-c", load)


def check_runtimes(result: SuiteResult, tree: Path) -> None:
    """The lines of the guide for other runtimes, with nothing but the archive, beside the text of which they stand."""
    # In the whole environment: npm and Maven need folders that the programs below do not see.
    subprocess.run([str(ROOT / "tests/runtimes/install.sh"), str(BUILD / "runtimes")], check=False)
    command = [*without_sources(), sys.executable, str(ROOT / "tests/support/guide_lines.py")]
    required = {name: value for name, value in os.environ.items() if name == "APB_REQUIRE_ALL"}
    more = {"APB_PREFIX": str(tree), "GOCACHE": str(BUILD / "runtimes/go-cache"), "GOPATH": str(BUILD / "runtimes/go")}
    done = subprocess.run(command, env=without_cargo() | more | required, capture_output=True, text=True, timeout=1200)
    lines = done.stdout.splitlines() or [""]
    # Its table, what failed, and the runtimes that are not here.
    print("\n".join(line for line in lines[:-1] if line.startswith("  ")))
    failed = result.failed
    if not result.add_counts(lines[-1]) or (done.returncode != 0) != (result.failed > failed):
        result.check(False, f"runtimes: ended with code {done.returncode}\n{done.stderr[-1500:]}")


def without_sources() -> list[str]:
    """What runs a command that does not see this tree's sources and libraries; nothing where the system forbids that."""
    folders = [*(ROOT / name for name in ("core", "docs", "examples", "ffi-c", "include", "packaging", "py")), LIB, PYTHON]
    shell = 'while [ "$1" != -- ]; do mount -t tmpfs none "$1" || exit 1; shift; done; shift; exec "$@"'
    names = [str(folder) for folder in (*folders, target()) if folder.exists()]
    command = ["unshare", "-m" if os.geteuid() == 0 else "-rm", "sh", "-c", shell, "sh", *names, "--"]
    try:
        return command if subprocess.run([*command, "true"], capture_output=True).returncode == 0 else []
    except FileNotFoundError:
        return []


def check_installation(result: SuiteResult, tree: Path) -> None:
    """`make install` of the archive, in the folders of a distribution; nothing is left by `make uninstall`."""
    root = tree.parent / "root"
    places = [f"DESTDIR={root}", "PREFIX=/usr", "LIBDIR=/usr/lib/x86_64-linux-gnu"]
    done = subprocess.run(["make", "-s", "install", *places], cwd=tree, capture_output=True, text=True, env=without_cargo())
    lib = root / "usr/lib/x86_64-linux-gnu"
    result.check(done.returncode == 0 and (lib / "libatlas_postbooking.so").resolve().exists(), f"install: {done.stderr[-500:]}")
    for name in ("pkgconfig/atlas_postbooking.pc", "cmake/atlas_postbooking/atlas_postbookingConfig.cmake"):
        path = lib / name
        found = re.search(r"\{(?:pcfiledir|CMAKE_CURRENT_LIST_DIR)\}/([./]*include)", path.read_text())
        header = path.parent / found[1] / "atlas_postbooking.h" if found else path
        result.check(found is not None and header.exists(), f"{name} does not lead to the headers")
    done = subprocess.run(["make", "-s", "uninstall", *places], cwd=tree, capture_output=True, text=True, env=without_cargo())
    left = [str(path) for path in root.rglob("*") if not path.is_dir()]
    result.check(done.returncode == 0 and left == [], f"uninstall leaves {left[:5]}: {done.stderr[-300:]}")


def check(result: SuiteResult) -> None:
    """An archive of the development build."""
    out = BUILD / "dist"
    done = subprocess.run([sys.executable, str(ROOT / "packaging/dist.py"), "--light", "--out", str(out)], capture_output=True, text=True)
    result.check(done.returncode == 0, f"packaging/dist.py: {done.stdout[-500:]}{done.stderr[-1500:]}")
    if done.returncode == 0:
        sums = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=out, capture_output=True, text=True)
        result.check(sums.returncode == 0, f"SHA256SUMS: {sums.stdout}{sums.stderr}")
        tree = unpacked(Path(done.stdout.split()[0]), BUILD / "unpacked")
        check_files(result, tree)
        broken = links.broken(tree)
        result.check(broken == [], f"links that lead nowhere: {broken}")
        check_programs(result, tree)
        check_runtimes(result, tree)
        check_installation(result, tree)


def main() -> int:
    archive = Path(sys.argv[1])
    result = SuiteResult(archive.name)
    tree = unpacked(archive, BUILD / "unpacked-release")
    check_files(result, tree)
    check_release(result, archive, tree)
    if "x86_64-gnu" in archive.name:
        check_programs(result, tree)
        check_runtimes(result, tree)
        check_installation(result, tree)
    print(table([result]))
    print(f"{result.passed} passed, {result.failed} failed, {result.skipped} skipped")
    return 1 if result.failed else 0


if __name__ == "__main__":
    sys.exit(main())
