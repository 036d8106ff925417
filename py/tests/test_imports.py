"""The imports between the modules of the package."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import atlas_postbooking

PACKAGE = Path(atlas_postbooking.__file__).parent


def imported_modules(source: str, modules: set[str], package: tuple[str, ...] = ()) -> set[str]:
    """The modules of atlas_postbooking that a file imports, also for type checkers only (TYPE_CHECKING) and in functions.

    They are named from there: ``_client``, ``cli.app``; a package by its own name, the whole by ``__init__``.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            own = ("atlas_postbooking", *package)
            base = [*own[: len(own) + 1 - node.level]] if node.level else []
            base += node.module.split(".") if node.module else []
            names = [".".join([*base, alias.name]) for alias in node.names]
        for name in names:
            top, *rest = name.split(".")
            if top == "atlas_postbooking":
                # A name that is not a module is one of the package itself.
                while rest and ".".join(rest) not in modules:
                    rest.pop()
                found.add(".".join(rest) or "__init__")
    return found


def module_name(path: Path) -> str:
    name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    return name.removesuffix(".__init__")


def test_imports_are_acyclic() -> None:
    paths = {module_name(path): path for path in PACKAGE.rglob("*.py")}
    modules = {*paths, "_native"} - {"__init__"}
    graph = {
        name: imported_modules(path.read_text(encoding="utf-8"), modules, path.relative_to(PACKAGE).parts[:-1])
        for name, path in paths.items()
    }
    assert graph["_client"] >= {"_native", "_operations", "_types"} and graph["__init__"] >= {"_client", "_local"}
    assert graph["cli.orders"] >= {"cli.output", "_errors"} and "cli" not in graph["__init__"]
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
    assert imported_modules(source, {"_a", "_b"}) == expected


def test_imported_modules_of_a_package_within() -> None:
    modules = {"_a", "cli", "cli.b"}
    assert imported_modules("from . import b\nfrom .b import x", modules, ("cli",)) == {"cli.b"}
    assert imported_modules("from .. import _a\nfrom .._a import x", modules, ("cli",)) == {"_a"}
    assert imported_modules("from . import x", modules, ("cli",)) == {"cli"}
