"""The imports between the modules of the package."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import atlas_postbooking

PACKAGE = Path(atlas_postbooking.__file__).parent


def imported_modules(source: str, modules: set[str]) -> set[str]:
    """The modules of the package that a file imports, also for type checkers only (TYPE_CHECKING) and in functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(part for part in ("atlas_postbooking" if node.level else "", node.module) if part)
            names = [f"{base}.{alias.name}" for alias in node.names]
        for name in names:
            package, *rest = name.split(".")
            if package == "atlas_postbooking":
                # A name that is not a module is one of the package itself.
                found.add(rest[0] if rest and rest[0] in modules else "__init__")
    return found


def test_imports_are_acyclic() -> None:
    sources = {path.stem: path.read_text(encoding="utf-8") for path in PACKAGE.glob("*.py")}
    modules = {*sources, "_native"}
    graph = {name: imported_modules(source, modules) for name, source in sources.items()}
    assert graph["_client"] >= {"_native", "_operations", "_types"} and graph["__init__"] >= {"_client", "_local"}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as cycle:
        # The order of graphlib is from the imported module to the importing one.
        pytest.fail(" is imported by ".join(cycle.args[1]))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from ._a import x", {"_a"}),
        ("from . import _a, _b", {"_a", "_b"}),
        ("from . import x", {"__init__"}),
        ("from atlas_postbooking._b import x", {"_b"}),
        ("import atlas_postbooking._a", {"_a"}),
        ("import atlas_postbooking", {"__init__"}),
        ("if TYPE_CHECKING:\n    from ._a import x", {"_a"}),
        ("def f():\n    from ._b import x", {"_b"}),
        ("import json\nfrom os import path", set()),
    ],
)
def test_imported_modules(source: str, expected: set[str]) -> None:
    assert imported_modules(source, {"_a", "_b", "__init__"}) == expected
