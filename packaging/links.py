"""Links of the documents, in an archive whose folders are others than this tree's."""

import os
import re
from pathlib import Path

LINK = re.compile(r"\[([^\]]*)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)]*)?\)")


def relink(document: Path, source: Path, places: dict[Path, Path]) -> None:
    """Lets the links of a document, which was `source` in the tree, lead to where the files are now.

    `places` are the files and folders of the tree that were copied, each with its new place. A link to anything else
    becomes plain text.
    """

    def changed(link: re.Match[str]) -> str:
        text, target, anchor = link[1], Path(os.path.normpath(source.parent / link[2])), link[3] or ""
        for old, new in places.items():
            if target == old or old in target.parents:
                place = new / target.relative_to(old)
                if place.exists():
                    return f"[{text}]({os.path.relpath(place, document.parent)}{anchor})"
        return text

    document.write_text(LINK.sub(changed, document.read_text()))


def broken(folder: Path) -> list[str]:
    """The links of the documents below a folder that lead nowhere."""
    return [
        f"{document.relative_to(folder)}: {link[2]}"
        for document in sorted(folder.rglob("*.md"))
        for link in LINK.finditer(document.read_text())
        if not (document.parent / link[2]).exists()
    ]
