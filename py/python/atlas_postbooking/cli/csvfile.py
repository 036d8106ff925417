"""Tables in CSV: what Excel saves is read, or the row and column that cannot be are named."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Columns of ``cases export --csv``.
CASE_COLUMNS = (
    "id", "key", "kind", "via", "orderNo", "offerId", "code", "outcome", "state", "final", "adopted", "currency", "paid",
    "estimatedRefund", "fee", "actualRefund", "deadline", "nextDueAt", "createdAt", "updatedAt", "sentAt", "requestId",
    "error",
)  # fmt: skip


def case_row(case: Mapping[str, Any]) -> list[str]:
    """A case of an export as a row of CASE_COLUMNS."""
    money: dict[str, Any] = case["money"] or {}
    error: dict[str, Any] = case["error"] or {}
    steps: list[dict[str, Any]] = case["steps"] or []
    last: dict[str, Any] = next((step for step in reversed(steps) if step["sentAt"]), {})
    values = {**case, **money, "sentAt": last.get("sentAt"), "requestId": last.get("requestId"), "error": error.get("message")}
    return [safe(values.get(name)) for name in CASE_COLUMNS]


def safe(value: object) -> str:
    """A cell that a spreadsheet takes for text: it would run what begins like a formula."""
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    is_number = re.fullmatch(r"-?\d+(\.\d+)?", text) is not None
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not is_number else text


class Unreadable(Exception):
    """A cell, a row or a file that cannot be read; says where."""


def at(row: int, column: str = "") -> str:
    return f"row {row}, column {column}" if column else f"row {row}"


@dataclass
class Row:
    """A row of the file, with its number as a spreadsheet shows it, and its cells by column."""

    number: int
    cells: dict[str, str]


@dataclass
class Table:
    """A file that was read."""

    columns: list[str]
    rows: list[Row]
    delimiter: str

    @property
    def decimal_comma(self) -> bool:
        """Excel separates by semicolons or tabs where the decimal sign is a comma."""
        return self.delimiter != ","


def read(path: Path) -> Table:
    """Reads a file; raises Unreadable."""
    text = _decode(path)
    delimiter = _delimiter(text)
    lines = _lines(text, delimiter)
    try:
        number, header = next(lines)
    except StopIteration:
        raise Unreadable("the file is empty") from None
    columns = [column_name(cell) for cell in header]
    while columns and not columns[-1]:
        columns.pop()
    twice = {name for name in columns if name and columns.count(name) > 1}
    if twice:
        raise Unreadable(f"{at(number)}: column {sorted(twice)[0]} stands there twice")
    if "" in columns:
        raise Unreadable(f"{at(number)}: column {columns.index('') + 1} has no name")
    rows: list[Row] = []
    for number, cells in lines:
        if any(cells[len(columns) :]):
            raise Unreadable(f"{at(number)}: {len(cells)} cells, but {len(columns)} columns; a cell with a {delimiter!r} in it must be quoted")
        rows.append(Row(number, dict(zip(columns, [*cells, *[""] * len(columns)], strict=False))))
    return Table(columns, rows, delimiter)


def _decode(path: Path) -> str:
    data = path.read_bytes()
    if data[:4] == b"PK\x03\x04":
        raise Unreadable("this is a workbook (.xlsx): save it as CSV UTF-8")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What Excel on Windows saves as plain CSV. Undefined bytes become marks, which no field takes.
        return data.decode("cp1252", errors="replace")


def _delimiter(text: str) -> str:
    """By the first line: Excel's own mark (sep=;), or what separates the columns there."""
    first = text.lstrip("\r\n").partition("\n")[0].rstrip("\r")
    if re.fullmatch(r"sep=.", first, re.IGNORECASE):
        return first[-1]
    bare = re.sub(r'"[^"]*"', "", first)
    return max(",;\t", key=bare.count) if any(mark in bare for mark in ",;\t") else ","


def _lines(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The lines that have a cell, with their number in the file."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 1
    try:
        for cells in reader:
            first, number = number, reader.line_num + 1
            cells = [cell.replace("\u00a0", " ").strip() for cell in cells]
            if any(cells) and not re.fullmatch(r"sep=.?", delimiter.join(cells), re.IGNORECASE):
                yield first, cells
    except csv.Error as fault:
        raise Unreadable(f"{at(number)}: {fault}") from None


def column_name(text: str) -> str:
    """``Order No.``, ``orderNo`` and ``order_no`` are one column."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return "_".join(re.findall(r"[a-z0-9]+", words.lower()))


def amount(cell: str, decimal_comma: bool) -> str:
    """An amount as the library takes it; raises ValueError with what is wrong."""
    text = cell.replace(" ", "").replace("\u202f", "").replace("'", "")
    if not re.fullmatch(r"\d([\d.,]*\d)?", text):
        raise ValueError(f"{cell!r} is no amount; give digits only, with the currency in its own column")
    decimal, group = (",", ".") if decimal_comma else (".", ",")
    whole, point, part = text.rpartition(decimal)
    if not point:
        whole, part = text, ""
        # A single other sign: a decimal sign, or one that groups thousands?
        head, sign, tail = text.rpartition(group)
        if sign and head.count(group) == 0:
            if len(tail) == 3:
                raise ValueError(f"{cell!r} can be read in two ways; write it without a sign for thousands")
            whole, part = head, tail
    grouped = whole.split(group)
    if decimal in whole or not part.isdigit() and part or any(len(each) != 3 for each in grouped[1:]) or not all(grouped):
        raise ValueError(f"{cell!r} is no amount")
    digits = "".join(grouped)
    return f"{digits}.{part}" if part else digits


def identifier(cell: str) -> str:
    """An order number, offer or key: refuses what a spreadsheet has made a number of."""
    if re.fullmatch(r"\d+([.,]\d+)?E\+\d+", cell, re.IGNORECASE):
        raise ValueError(f"{cell!r}: the spreadsheet has made a number of it and its digits are lost; format the column as text")
    if "\ufffd" in cell:
        raise ValueError(f"{cell!r} has characters that cannot be read; save the file as CSV UTF-8")
    return cell


class Writer:
    """Writes rows as they come, so that a killed run leaves what it knew; in a form that Excel opens."""

    def __init__(self, path: Path, columns: Sequence[str], delimiter: str) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file, delimiter=delimiter, lineterminator="\r\n")
        self._writer.writerow(columns)

    def write(self, cells: Sequence[object]) -> None:
        self._writer.writerow([safe(cell) for cell in cells])
        self._file.flush()

    def close(self) -> None:
        self._file.close()
