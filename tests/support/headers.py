"""The headers compile alone and twice in every dialect; misuse of the C++ header does not compile."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

from building import ROOT, WARNINGS
from results import SuiteResult

STRICT = [*WARNINGS, "-Wshadow", "-Wconversion", "-Wundef"]
C_DIALECTS = ["c89", "c99", "c11", "c17", "c2x"]
CPP_OF_C_DIALECTS = ["c++98", "c++11", "c++17", "c++20", "c++23"]
CPP_DIALECTS = ["c++11", "c++14", "c++17", "c++20", "c++23"]
PROBES = 14
# Refused only with [[nodiscard]], from C++17 on.
NODISCARD_PROBE = 7


def compiles(compiler: str, language: str, text: str, *flags: str) -> tuple[bool, str]:
    command = [compiler, "-x", language, *flags, f"-I{ROOT / 'include'}", "-fsyntax-only", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    return done.returncode == 0, done.stderr


def spelling(compiler: str, dialect: str) -> str:
    """The name of a dialect: older compilers know C++23 by the name of its draft."""
    if dialect == "c++23" and not compiles(compiler, "c++", "int x;\n", "-std=c++23")[0]:
        return "c++2b"
    return dialect


def compilers(language: str) -> list[str]:
    names = (os.environ.get("CC", "cc"), "clang") if language == "c" else (os.environ.get("CXX", "c++"), "clang++")
    return [name for name in names if shutil.which(name)]


def check(result: SuiteResult) -> None:
    jobs: list[tuple[bool, str, str, str, tuple[str, ...]]] = []
    header = '#include "atlas_postbooking.h"\n'
    for compiler in compilers("c"):
        for dialect in C_DIALECTS:
            jobs.append((True, compiler, "c", header * 2 + "int x(void);\n", (f"-std={dialect}", *STRICT)))
    for compiler in compilers("c++"):
        newest = spelling(compiler, "c++23")
        for dialect in [*CPP_OF_C_DIALECTS[:-1], newest]:
            # <stdint.h> is not in C++98, but compilers have it.
            jobs.append((True, compiler, "c++", header * 2, (f"-std={dialect}", *STRICT, "-Wno-long-long")))
        for dialect in [*CPP_DIALECTS[:-1], newest]:
            for more in ((), ("-fno-exceptions",), ("-fno-rtti", "-DAPB_NO_EXCEPTIONS")):
                text = '#include "atlas_postbooking.hpp"\n' * 2
                jobs.append((True, compiler, "c++", text, (f"-std={dialect}", *STRICT, "-Wold-style-cast", *more)))
        probes = (ROOT / "tests/cpp/refused/probes.cpp").read_text()
        for dialect in ("c++11", "c++20"):
            jobs.append((True, compiler, "c++", probes, (f"-std={dialect}", *WARNINGS, "-DPROBE=0")))
            for probe in range(1, PROBES + 1):
                if probe == NODISCARD_PROBE and dialect == "c++11" and "clang" not in compiler:
                    continue
                # No warnings but the one that a probe is about: the others must be errors of the language.
                more = ("-Werror=unused-result",) if probe == NODISCARD_PROBE else ()
                jobs.append((False, compiler, "c++", probes, (f"-std={dialect}", *more, f"-DPROBE={probe}")))
    with ThreadPoolExecutor(2) as pool:
        results = pool.map(lambda job: compiles(job[1], job[2], job[3], *job[4]), jobs)
        for (expected, compiler, language, _, flags), (compiled, output) in zip(jobs, results):
            verb = "does not compile" if expected else "compiles, but must not"
            result.check(compiled == expected, f"{compiler} {language} {' '.join(flags)} {verb}\n{output[:600]}")
