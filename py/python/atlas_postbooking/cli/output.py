"""What commands print: tables for people, one JSON document for programs, and exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from .._errors import AtlasError

DONE, NOT_EXECUTED, USAGE, PENDING, UNKNOWN, INTERRUPTED = 0, 1, 2, 3, 4, 130

#: Of many, the worst.
_WORST = (UNKNOWN, PENDING, NOT_EXECUTED, DONE)
_OF_OUTCOME = {"executed": DONE, "not_executed": NOT_EXECUTED, "pending": PENDING, "unknown": UNKNOWN}


def exit_code(outcome: object) -> int:
    """The exit code of an outcome; one that this version does not know is unknown."""
    return _OF_OUTCOME.get(str(outcome), UNKNOWN)


def worst(outcomes: Iterable[object]) -> int:
    codes = {exit_code(outcome) for outcome in outcomes}
    return next((code for code in _WORST if code in codes), DONE)


def error_code(error: AtlasError) -> int:
    """The exit code of an exception: 2 for what the caller can only put right in the command or the configuration."""
    if error.code in ("bad_request", "bad_config", "unknown_operation", "bad_json", "store_missing"):
        return USAGE
    return exit_code(error.outcome)


def document(value: Any) -> None:
    """Prints one JSON document, on one line."""
    click.echo(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=plain))


def plain(value: Any) -> Any:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value.to_dict()


def say(text: str = "") -> None:
    click.echo(text)


def binary(data: bytes) -> None:
    """What a spreadsheet or a browser reads, byte by byte."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def note(text: str) -> None:
    """A line for people that is no result."""
    click.echo(text, err=True)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], title: str = "") -> None:
    """A table: drawn on a terminal, else aligned columns."""
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if sys.stdout.isatty() and _draw(columns, texts, title):
        return
    if title:
        say(title)
    widths = [max(len(line[i]) for line in [list(columns), *texts]) for i in range(len(columns))]
    for line in [list(columns), *texts]:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _draw(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> bool:
    # Only here: a program that starts in a loop has no terminal.
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        return False
    drawn = Table(title=title or None, title_justify="left", header_style="bold")
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        # As texts: cells are data, not markup.
        drawn.add_row(*(Text(cell) for cell in row))
    Console().print(drawn)
    return True


def pairs(rows: Iterable[tuple[str, object]]) -> None:
    """Names and values, one a line; empty values are left out."""
    shown = [(name, str(value)) for name, value in rows if value not in (None, "")]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        say(f"  {name:<{width}}  {value}")
