"""What the C library is made of: licences of third parties as text, and a bill of materials (CycloneDX). Standard library only."""

import json
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = "atlas-postbooking-c"
LICENCE_FILES = ("license", "licence", "copying", "copyright", "notice", "unlicense")
# Parts that are no crates, but are in the library.
SQLITE = {
    "type": "library",
    "name": "sqlite",
    "description": "SQLite, in the crate libsqlite3-sys",
    "licenses": [{"license": {"name": "Public Domain"}}],
}
UNWIND = """\
LLVM libunwind, which zig links into the library: Apache-2.0 WITH LLVM-exception
musl, in the musl archives only, as far as a program links it: MIT
"""


def crates(triple: str, library: str = LIBRARY) -> list[dict[str, Any]]:
    """The packages of the registry that are linked into a library of the workspace, by name."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", triple]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    waiting = [one for one, package in packages.items() if package["name"] == library]
    found: set[str] = set()
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            for dependency in nodes[one]["deps"]:
                if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                    waiting.append(dependency["pkg"])
    linked = [packages[one] for one in found if packages[one]["source"]]
    return sorted(linked, key=lambda package: (package["name"], package["version"]))


def licence_files(package: dict[str, Any]) -> list[Path]:
    home = Path(package["manifest_path"]).parent
    return sorted(path for path in home.iterdir() if path.is_file() and path.name.lower().startswith(LICENCE_FILES))


def third_party(packages: list[dict[str, Any]]) -> str:
    """Every licence text once, with the crates that come under it."""
    users: dict[str, list[str]] = {}
    for package in packages:
        files = licence_files(package)
        if not files:
            raise SystemExit(f"{package['name']} {package['version']} has no licence file: add its text by hand")
        for path in files:
            users.setdefault(path.read_text(errors="replace").strip(), []).append(f"{package['name']} {package['version']}")
    listed = "".join(f"{p['name']} {p['version']}: {p['license']}\n" for p in packages)
    texts = "".join(f"\n{'=' * 80}\n{', '.join(dict.fromkeys(names))}\n\n{text}\n" for text, names in users.items())
    return f"libatlas_postbooking contains:\n\n{listed}SQLite: public domain\n{UNWIND}{texts}"


def bill_of_materials(packages: list[dict[str, Any]], version: str) -> str:
    """Without a time or a serial number: the same tree gives the same bytes."""
    product = {"type": "library", "name": "libatlas_postbooking", "version": version, "bom-ref": "libatlas_postbooking"}
    components = [
        {
            "type": "library",
            "bom-ref": f"pkg:cargo/{package['name']}@{package['version']}",
            "purl": f"pkg:cargo/{package['name']}@{package['version']}",
            "name": package["name"],
            "version": package["version"],
            "licenses": [{"expression": package["license"].replace("/", " OR ")}],
        }
        for package in packages
    ]
    document = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "metadata": {"component": product}}
    return json.dumps(document | {"components": [*components, SQLITE]}, indent=1) + "\n"
