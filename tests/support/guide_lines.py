"""The lines of docs/guide/runtimes.md as programs, each beside its binding as a reader would put it, with a simulator of
its own.

    python tests/support/guide_lines.py        with APB_PREFIX: the guide, the bindings and the library of an unpacked archive
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from building import ROOT
from case_examples import executed
from results import SuiteResult

from runtimes import (
    COBOL, EXAMPLES, GO, GUIDE, HOME, LIB, PASCAL, PREFIX, RELEASE, Runtime, environment, erlang_headers, in_each, installed,
    java_sources, later_jdk, without_jna,
)  # fmt: skip
from stories import Cells, simulator

TEXT = PREFIX / "share/doc/atlas_postbooking/guide/runtimes.md" if RELEASE else ROOT / "docs/guide/runtimes.md"
README = PREFIX / "share/doc/atlas_postbooking/README.md" if RELEASE else ROOT / "README.md"
LINK = [f"-L{LIB}", "-latlas_postbooking"]
# Sections with a block of code for each file.
SECTION = re.compile(r"^## [^\n]*<!-- (\w+) -->\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)


def command_of(runtime: str, blocks: list[str]) -> list[str]:
    """Writes and, if necessary, builds a program; the command that runs it."""
    home = GUIDE / runtime
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)

    def file(name: str, text: str = blocks[-1]) -> str:
        (home / name).write_text(text)
        return str(home / name)

    def beside(name: str) -> None:
        shutil.copy2(EXAMPLES / name, home)

    def build(*command: str, **more: str) -> None:
        done = subprocess.run(command, cwd=home, env=environment() | more, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"the guide's lines for {runtime} do not build:\n{(done.stdout + done.stderr)[-1500:]}")

    match runtime:
        case "node":
            package = home / "node_modules/atlas-postbooking"
            shutil.copytree(EXAMPLES / "node", package)
            return ["node", file("lines.js")]
        case "go":
            file("main.go")
            (home / "go.mod").write_text(
                "module lines\n\ngo 1.19\n\nrequire atlas-postbooking v0.0.0\n\n"
                f"replace atlas-postbooking => {EXAMPLES / 'go'}\n"
            )
            build("go", "build", "-o", "lines", ".", **GO)
            return [str(home / "lines")]
        case "java":
            jars = f"{HOME}/java/jars/*"
            build("javac", "-cp", jars, "-d", str(home), *java_sources(), file("Lines.java"))
            return ["java", "-cp", f"{home}:{jars}", "Lines"]
        case "java22":
            jdk = f"{later_jdk()}/bin"
            build(f"{jdk}/javac", "-cp", without_jna(), "-d", str(home), *java_sources(foreign=True), file("Lines.java"))
            return [f"{jdk}/java", "--enable-native-access=ALL-UNNAMED", "-cp", without_jna(str(home)), "Lines"]
        case "ruby":
            return ["ruby", f"-I{EXAMPLES / 'ruby'}", file("lines.rb")]
        case "php":
            return ["php", "-d", f"include_path={EXAMPLES / 'php'}", file("lines.php")]
        case "perl":
            return ["perl", f"-I{EXAMPLES / 'perl'}", file("lines.pl")]
        case "luajit":
            return ["luajit", "-e", f"package.path = '{EXAMPLES / 'luajit'}/?.lua'", file("lines.lua")]
        case "mono":
            build("mcs", f"-out:{home}/lines.exe", file("Lines.cs"), str(EXAMPLES / "mono/AtlasPostbooking.cs"))
            return ["mono", str(home / "lines.exe")]
        case "cobol":
            build(*COBOL, "-o", str(home / "lines"), file("lines.cob"), str(EXAMPLES / "cobol/atlas-postbooking.cob"))
            return [str(home / "lines")]
        case "tcl":
            beside("tcl/atlas_postbooking.tcl")
            return ["sh", "-c", f"cd {home} && exec tclsh {Path(file('lines.tcl')).name}"]
        case "pascal":
            build(*PASCAL, f"-FE{home}", file("lines.pas"))
            return [str(home / "lines")]
        case "fortran":
            build("gfortran", file("lines.f90"), "-o", "lines", *LINK)
            return [str(home / "lines")]
        case "ada":
            build("gnatmake", "-q", file("lines.adb"), "-largs", *LINK)
            return [str(home / "lines")]
        case "erlang":
            headers = [f"-I{erlang_headers()}", f"-I{PREFIX}/include"]
            build("cc", "-shared", "-fPIC", *headers, file("atlas_nif.c", blocks[0]), "-o", "atlas_nif.so", *LINK)
            build("erlc", file("lines.erl"))
            return ["sh", "-c", f"cd {home} && exec erl -noshell -s lines main -s init stop"]
        case "r":
            flags = {"PKG_CPPFLAGS": f"-I{PREFIX}/include", "PKG_LIBS": " ".join(LINK)}
            build("R", "CMD", "SHLIB", file("atlas.c", blocks[0]), **flags)
            return ["sh", "-c", f"cd {home} && exec Rscript {Path(file('lines.R')).name}"]
    raise RuntimeError(f"no lines for {runtime}")


def check(result: SuiteResult) -> None:
    """Every runtime of the guide; the bindings void an order, the lines without one ask for the quotation of a void."""
    blocks = {name: BLOCK.findall(text) for name, text in SECTION.findall(TEXT.read_text())}
    runtimes = [one for one in installed() if not one.is_variant]
    names = {one.name for one in runtimes} - {"java22"}
    result.check(set(blocks) == names, f"the guide has lines for {', '.join(blocks)}")
    titles = re.findall(r"^## (.*) <!-- \w+ -->", TEXT.read_text(), re.MULTILINE)
    links = re.findall(r"(?:docs/)?guide/runtimes\.md#([\w-]+)", README.read_text())
    result.check(links == [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles], f"README leads to {links}")
    cells = Cells(["lines"])

    def lines(own: SuiteResult, one: Runtime) -> None:
        what = f"the guide's lines for {one.name}"
        with simulator() as (atlas, _), cells.of(one.name, "lines", own):
            more = {"ATLAS_URL": atlas.url, "ORDER_NO": atlas.order(airline="F9", fare="84.75")}
            command = command_of(one.name, blocks["java" if one.name == "java22" else one.name])
            done = subprocess.run(command, env=environment() | more, capture_output=True, text=True, timeout=120)
            output = done.stdout + done.stderr
            sent = [row["endpoint"] for row in atlas.get("requests")["requests"] if row["endpoint"].startswith("void")]
            if one.lines_only:
                own.check('"voidOfferId":"' in output and sent == ["voidQuotation"], f"{what}: {sent}\n{output[-800:]}")
            else:
                own.check("voided: " in output, f"{what}:\n{output[-800:]}")
                own.check((sent, executed(atlas, "void")) == (["voidQuotation", "void"], 1), f"{what}: {sent}")

    in_each(result, lines, runtimes)
    print(cells.table())


def main() -> int:
    result = SuiteResult("guide")
    with result:
        check(result)
    print(f"{result.passed} passed, {result.failed} failed, {result.skipped} skipped")
    return 1 if result.failed else 0


if __name__ == "__main__":
    sys.exit(main())
