"""``orders``: the vendor's orders, with their refunds, voids and cases."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from . import output
from .session import Session, pass_session
from .times import short

if TYPE_CHECKING:
    from ..replies import Case

_STATUS = {0: "unpaid", 1: "ticketing", 2: "ticketed", -3: "cancelled"}
_PROCESSING = {
    0: "Atlas processing", 1: "airline processing", 2: "done", 3: "airline refunding", 4: "rejected", 5: "fulfilled",
    6: "withdrawn",
}  # fmt: skip


@click.group()
def orders() -> None:
    """The vendor's orders."""


@orders.command("list")
@click.option("--status", type=click.Choice(["unpaid", "ticketing", "ticketed", "cancelled"]), multiple=True)
@click.option("--departs", metavar="DATE", help="As 2025-05-22.")
@click.option("--airline", multiple=True)
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@pass_session
def list_orders(session: Session, status: tuple[str, ...], departs: str | None, airline: tuple[str, ...], limit: int) -> int:
    """Orders over all pages, each once."""
    numbers = [number for number, name in _STATUS.items() if name in status]
    filters: Any = {"order_status": numbers or None, "dep_date": departs, "airlines": list(airline) or None}
    found = list(islice(session.client.iter_orders(**{k: v for k, v in filters.items() if v is not None}), limit))
    if session.json:
        output.document({"orders": found})
        return output.DONE
    rows = [
        (o.order_no, _word(_STATUS, o.order_status), o.dep_date, " ".join(o.airlines or []), f"{o.from_city or ''}-{o.to_city or ''}",
         len(o.pax_names or []), short(o.order_create_timestamp)) for o in found
    ]  # fmt: skip
    output.table(("order", "status", "departs", "airlines", "route", "passengers", "made"), rows)
    return output.DONE


def _word(words: dict[int, str], value: object) -> str:
    return words.get(value, str(value)) if isinstance(value, int) else str(value)


@orders.command()
@click.argument("order_no", metavar="ORDER")
@pass_session
def show(session: Session, order_no: str) -> int:
    """ORDER, the refunds and voids that Atlas lists for it, and whose each of them is by the cases of the store."""
    client = session.client
    order = client.query_order_details(order_no=order_no)
    cases = list(client.cases.list(order_no=order_no)) if session.settings.values.get("store") else []
    refunds, refund_fault = _listed(lambda: client.query_refund_orders(order_no=order_no).refund_orders)
    voids, void_fault = _listed(lambda: client.query_void_orders(order_no=order_no).void_orders)
    if refund_fault and not refunds:
        # Some accounts get refunds by their code only: at least those that are known.
        for code in sorted({case.code for case in cases if case.code and "refund" in (case.kind, case.via)}):
            refunds += _listed(lambda code=code: client.query_refund_orders(order_no=order_no, refund_code=code).refund_orders)[0]
    if session.json:
        output.document({
            "order": order, "refunds": refunds, "refundsError": refund_fault, "voids": voids, "voidsError": void_fault,
            "cases": cases,
        })  # fmt: skip
        return output.DONE
    output.pairs([("order", order.order_no), ("status", _word(_STATUS, order.order_status)), ("PNR", order.pnr_code)])
    output.table(("no.", "passenger"), [(i, each.name) for i, each in enumerate(order.pax_ticket_infos or [], 1)])
    rows: list[tuple[object, ...]] = []
    for name, entries in (("refund", refunds), ("void", voids)):
        for each in entries:
            offer, code, fare = each[f"{name}OfferId"], each[f"{name}Code"], each[f"{name}FareAmount"]
            amount = "" if fare is None or fare.estimated_refund_amount is None else f"{fare.estimated_refund_amount} {fare.currency}"
            rows.append((name, code, _word(_PROCESSING, each[f"{name}Status"]), offer, amount, _owner(cases, offer, code)))
    output.table(("kind", "code", "status", "offer", "refund", "whose"), rows, "\nRefunds and voids at Atlas")
    for fault in filter(None, (refund_fault, void_fault)):
        output.say(f"not complete: {fault}")
    output.table(("case", "kind", "outcome", "state", "offer", "code"),
                 [(c.key, c.kind, c.outcome, c.state, c.offer_id, c.code) for c in cases], "\nCases of this store on it")  # fmt: skip
    return output.DONE


def _listed(read: Any) -> tuple[list[Any], str | None]:
    """A list of the vendor, or why there is none."""
    from .._errors import NotExecuted

    try:
        return read() or [], None
    except NotExecuted as refused:
        # 801 and 810 of a list without a code are answers, not faults of the command.
        if refused.vendor_status is None:
            raise
        why = ": this account's refunds are listed by their code only" if refused.vendor_status == 810 else ""
        return [], f"{refused.message}{why}"


def _owner(cases: list[Case], offer: object, code: object) -> str:
    """Whose an entry is, by offer or code."""
    for case in cases:
        if (offer is not None and case.offer_id == offer) or (code is not None and case.code == code):
            return f"another program's; case {case.key} follows it" if case.adopted else f"case {case.key}"
    return "no case of this store: another program's"
