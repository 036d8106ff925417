"""The modules of the package import each other in one direction, imports for type checkers included."""

import ast
from pathlib import Path

import atlas_postbooking

PACKAGE = Path(atlas_postbooking.__file__).parent


def imports_of(path: Path) -> set[str]:
    """The package's modules that a module imports, wherever the statement stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            found |= {node.module} if node.module else {alias.name for alias in node.names}
    return found


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {path.stem: imports_of(path) for path in PACKAGE.glob("*.py")}
    assert graph["_client"] >= {"_reply", "_errors"}, "the imports were read"
    done: set[str] = set()

    def visit(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, f"circle: {' -> '.join((*way, module))}"
        if module not in done:
            for other in sorted(graph.get(module, set())):
                visit(other, (*way, module))
            done.add(module)

    for module in sorted(graph):
        visit(module, ())
