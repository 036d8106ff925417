"""``bulk FILE.csv``: many cases from a table, with a verdict for each row."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import output
from .csvfile import Row, Table, Unreadable, Writer, amount, at, identifier, read
from .session import Session, pass_session
from .submits import PAYMENT_METHODS, default_key, passengers_of
from .times import stamp

if TYPE_CHECKING:
    from .._many import CaseVerdict, Progress

#: Other names of a column.
_ALIASES = {
    "order": "order_no", "order_number": "order_no", "orderno": "order_no", "type": "kind", "action": "kind",
    "reference": "key", "passenger": "passengers", "offer": "offer_id", "product": "products", "minimum_refund": "min_refund",
    "maximum_fee": "max_fee", "maximum_price": "max_price",
}  # fmt: skip
_KINDS = ("refund", "void", "cancel", "ancillary", "regenerate", "stop")
_AMOUNTS = ("min_refund", "max_fee", "max_price")
_COLUMNS = ("order_no", "kind", "key", "passengers", "reason", "offer_id", "after", "products", "currency", *_AMOUNTS)
#: Of the file of verdicts.
_VERDICTS = (
    "row", "order_no", "kind", "key", "outcome", "state", "code", "offer_id", "currency", "estimated_refund", "fee",
    "sent_at", "error", "message",
)  # fmt: skip


@click.command()
@click.argument("file", metavar="FILE.csv", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--kind", type=click.Choice(_KINDS), help="Of rows without a kind.")
@click.option("--currency", help="Of rows without a currency.")
@click.option("--dry-run", is_flag=True, help="Only ask what would come back; submits nothing.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File of the verdicts. [FILE-verdicts.csv]")
@click.option("--concurrency", type=click.IntRange(1, 64), default=4, show_default=True)
@click.option("--pay", type=click.Choice(list(PAYMENT_METHODS)), help="How purchases are paid.")
@click.option("--live", is_flag=True, help="Do it; without it a terminal asks, and anything else is refused.")
@pass_session
def bulk(
    session: Session, file: Path, kind: str | None, currency: str | None, dry_run: bool, out: Path | None, concurrency: int,
    pay: str | None, live: bool,
) -> int:  # fmt: skip
    """Open a case for each row of FILE.csv.

    Columns: order_no, kind, key, passengers, reason, currency, min_refund, max_fee, max_price, offer_id, after, products;
    only order_no is needed if --kind is given. After Ctrl-C, a kill or a crash the same command goes on: a row whose
    request was sent is not sent again.
    """
    try:
        table = read(file)
        requests: list[Any] = [_request(table, row, kind, currency, pay) for row in table.rows]
        _check_keys(table.rows, requests)
    except (Unreadable, OSError) as fault:
        raise click.UsageError(f"{file.name}: {fault}. Nothing was sent.") from None
    if not requests:
        raise click.UsageError(f"{file.name} has no rows. Nothing was sent.")
    out = out or file.with_name(f"{file.stem}-{'plan' if dry_run else 'verdicts'}.csv")
    if out.resolve() == file.resolve():
        raise click.UsageError("--out is the file itself")
    session.settings.require()
    session.settings.require_store()
    if dry_run:
        return _dry_run(session, table, requests, out)
    session.confirm(live, f"{len(requests)} requests of {file.name}", str(len(requests)))
    client = session.stored
    # A service that is stopped ends like Ctrl-C: after the submits under way.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    writer = Writer(out, _VERDICTS, table.delimiter)
    run = _Run(table.rows, requests, writer)
    with run.bar():
        try:
            verdicts = client.cases.open_many(requests, progress=run.report, concurrency=concurrency)
        except KeyboardInterrupt:
            output.note(f"\nstopped after {run.done} of {len(requests)}; the same command goes on where it was. Verdicts so far: {out}")
            raise
        finally:
            writer.close()
    # Once more, in the order of the file: until now they stood as they came.
    writer = Writer(out, _VERDICTS, table.delimiter)
    for verdict in verdicts:
        writer.write(run.cells(verdict))
    writer.close()
    counts = Counter(str(verdict.outcome) for verdict in verdicts)
    if session.json:
        output.document({"rows": len(verdicts), "outcomes": counts, "verdicts": str(out)})
    else:
        output.table(("outcome", "rows"), sorted(counts.items()))
        output.say(f"verdicts: {out}")
    return output.worst(counts)


class _Run:
    """A run under way: writes each verdict when it comes, and shows how far it is."""

    def __init__(self, rows: Sequence[Row], requests: Sequence[Any], writer: Writer) -> None:
        self._rows, self._requests, self._writer = rows, requests, writer
        self.done = 0
        self._bar: Any = None

    def bar(self) -> Any:
        hidden = not sys.stderr.isatty()
        self._bar = click.progressbar(length=len(self._requests), label="cases", file=sys.stderr, show_pos=True, hidden=hidden)
        return self._bar

    def report(self, progress: Progress) -> None:
        if progress.verdict is None:
            self._bar.label = f"pause {progress.pause_ms / 1000:.0f} s"
            self._bar.render_progress()
            return
        self._writer.write(self.cells(progress.verdict))
        self.done = progress.done
        self._bar.label = "cases"
        self._bar.update(1)

    def cells(self, verdict: CaseVerdict) -> list[object]:
        request, error = self._requests[verdict.index], verdict.error
        # Of a conflict the case may be another one.
        case = verdict.case if verdict.case is not None and verdict.case.key == verdict.key else None
        money = None if case is None else case.money
        sent = [step.sent_at for step in (case.steps if case else None) or [] if step.sent_at is not None]
        message = "" if error is None else error.message
        if verdict.case is not None and case is None:
            message += f" (in the way: case {verdict.case.key})"
        return [
            self._rows[verdict.index].number, request.get("order_no"), request["kind"], verdict.key, verdict.outcome,
            case and case.state, case and case.code, case and case.offer_id, money and money.currency,
            None if money is None else money.estimated_refund, None if money is None else money.fee,
            stamp(sent[-1]) if sent else "", error and error.code, message,
        ]  # fmt: skip


def _request(table: Table, row: Row, kind: str | None, currency: str | None, pay: str | None) -> dict[str, Any]:
    """The request of a row; raises Unreadable with row and column."""
    request: dict[str, Any] = {}
    expect: dict[str, Any] = {}
    for column, cell in row.cells.items():
        name = _ALIASES.get(column, column)
        if name not in _COLUMNS:
            known = ", ".join(_COLUMNS)
            raise Unreadable(f"row 1: column {column} is not known; the columns are {known}")
        if not cell:
            continue
        try:
            value = _value(name, cell, table.decimal_comma)
        except ValueError as fault:
            raise Unreadable(f"{at(row.number, column)}: {fault}") from None
        target = expect if name in (*_AMOUNTS, "currency") else request
        if name in target:
            raise Unreadable(f"row 1: two columns give {name}")
        target[name] = value
    request.setdefault("kind", kind)
    if request["kind"] is None:
        raise Unreadable(f"{at(row.number, 'kind')} is empty, and --kind is not given")
    if "order_no" not in request:
        raise Unreadable(f"{at(row.number, 'order_no')} is empty")
    if currency:
        expect.setdefault("currency", currency)
    if any(name in expect for name in _AMOUNTS) and "currency" not in expect:
        raise Unreadable(f"{at(row.number)}: an amount needs a currency; give the column, or --currency")
    if expect:
        request["expect"] = expect
    if pay and request["kind"] in ("ancillary", "regenerate"):
        request["payment"] = {"payment_method": PAYMENT_METHODS[pay]}
    request.setdefault("key", default_key(request["kind"], request["order_no"], request.get("passengers")))
    return request


def _value(name: str, cell: str, decimal_comma: bool) -> Any:
    if name in _AMOUNTS:
        return amount(cell, decimal_comma)
    if name == "passengers":
        return passengers_of(identifier(cell))
    if name == "products":
        return [{"product_code": part} for part in identifier(cell).replace(";", " ").replace(",", " ").split()]
    if name == "kind":
        word = cell.lower()
        word = "ancillary" if word in ("bag", "baggage") else word
        if word not in _KINDS:
            raise ValueError(f"{cell!r} is not one of {', '.join(_KINDS)}")
        return word
    if name == "reason" and cell not in ("0", "1"):
        raise ValueError(f"{cell!r} must be 0 (involuntary) or 1 (voluntary)")
    if name == "currency":
        if len(cell) != 3 or not cell.isalpha():
            raise ValueError(f"{cell!r} is no currency like USD")
        return cell.upper()
    return identifier(cell)


def _check_keys(rows: Sequence[Row], requests: Sequence[Any]) -> None:
    first: dict[str, int] = {}
    for row, request in zip(rows, requests, strict=True):
        if request["key"] in first:
            raise Unreadable(f"rows {first[request['key']]} and {row.number} ask for the same (key {request['key']})")
        first[request["key"]] = row.number


def _dry_run(session: Session, table: Table, requests: Sequence[Any], out: Path) -> int:
    """Asks about each row; submits nothing."""
    from .._errors import AtlasError

    columns = ("row", "order_no", "kind", "key", "way", "currency", "estimated_refund", "fee", "note")
    writer = Writer(out, columns, table.delimiter)
    outcomes: list[str] = []
    with click.progressbar(list(zip(table.rows, requests, strict=True)), label="asking", file=sys.stderr, hidden=not sys.stderr.isatty()) as items:
        for row, request in items:
            cells: list[object] = [row.number, request["order_no"], request["kind"], request["key"]]
            try:
                cells += _plan(session, request)
                outcomes.append("executed")
            except AtlasError as error:
                cells += ["", "", "", "", f"{error.code}: {error.message}"]
                outcomes.append("not_executed")
            writer.write(cells)
    writer.close()
    if session.json:
        output.document({"rows": len(requests), "possible": outcomes.count("executed"), "plan": str(out)})
    else:
        output.say(f"{outcomes.count('executed')} of {len(requests)} can be done; nothing was submitted. Plan: {out}")
    return output.worst(outcomes)


def _plan(session: Session, request: Any) -> list[object]:
    """Way, currency, estimate, fee, and a note."""
    from .._errors import AtlasError, GuardError

    client = session.stored
    try:
        case = client.cases.get(request["key"])
        if case.outcome != "not_executed":
            return ["", "", "", "", f"has a case already: {case.outcome}, {case.state}"]
    except AtlasError as missing:
        if missing.code != "not_found":
            raise
    kind = request["kind"]
    if kind not in ("refund", "void", "cancel"):
        return ["", "", "", "", "not asked: only refunds and voids have a plan"]
    asked = {name: request[name] for name in ("order_no", "passengers", "reason") if name in request}
    reply = client.case_plan(asked)
    ways: dict[str, Any] = {"void": reply.void, "refund": reply.refund}
    name = kind if kind != "cancel" else "void" if reply.void is not None and reply.void.possible else "refund"
    way = ways[name]
    if way is None or not way.possible:
        why = "not possible for these passengers" if way is None else getattr(way.error, "message", None) or "not possible"
        raise GuardError(f"{name}: {why}", code="guard_not_refundable", outcome="not_executed")
    money = way.money
    return [name, money and money.currency, None if money is None else money.estimated_refund, None if money is None else money.fee, ""]
