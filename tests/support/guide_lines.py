"""The lines of docs/guide/runtimes.md as programs, each beside its binding as a reader would put it."""

import shutil
import subprocess
from pathlib import Path

from runtimes import COBOL, EXAMPLES, GO, GUIDE, HOME, PASCAL, environment, java_sources, later_jdk, without_jna


def command_of(runtime: str, text: str) -> list[str]:
    """Writes and, if necessary, builds a program; the command that runs it."""
    home = GUIDE / runtime
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)

    def file(name: str) -> str:
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
    raise RuntimeError(f"no lines for {runtime}")
