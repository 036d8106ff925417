"""``plan``, and the commands that move money: each opens a case."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import output
from .session import Session, pass_session
from .times import stamp

if TYPE_CHECKING:
    from ..replies import CasePlanReply, CaseReply, CaseWay

#: How a purchase is paid: the words of --pay, and the vendor's paymentMethod.
PAYMENT_METHODS = {"deposit": 1, "byoa": 4}
_EXPECT = ("currency", "min_refund", "max_fee", "max_price", "accept_voucher", "accept_unquoted", "accept_foreign")


def default_key(kind: str, order_no: str, passengers: list[Any] | None) -> str:
    """The key of a request that names none: the same request is the same case, however often it is made."""
    who = "" if not passengers else "-p" + "-".join(str(each) for each in sorted(passengers, key=str))
    return f"{kind}-{order_no}{who}"


def passengers_of(text: str) -> list[Any]:
    """``1,3`` are positions, ``KIS/EVA,KIS/ADAM`` names."""
    parts = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
    return [int(part) if part.isdigit() else part for part in parts]


@click.command()
@click.argument("order_no", metavar="ORDER")
@click.option("--passengers", metavar="1,2|NAMES", help="Positions or names; all without it.")
@click.option("--reason", type=click.Choice(["0", "1"]), help="Of a refund: 0 involuntary, 1 voluntary.")
@pass_session
def plan(session: Session, order_no: str, passengers: str | None, reason: str | None) -> int:
    """What a void and what a refund of ORDER would give back. Submits nothing."""
    who = passengers_of(passengers) if passengers else None
    reply = session.stored.case_plan(order_no=order_no, passengers=who, reason=reason)
    if session.json:
        output.say(reply.json)
    else:
        show_plan(reply)
    return output.DONE


def show_plan(reply: CasePlanReply) -> None:
    rows = [_way("void", reply.void), _way("refund", reply.refund)]
    output.table(("way", "possible", "comes back", "fee", "until", "why not"), rows)
    output.say(f"better: {reply.better or 'neither'} ({reply.reason})")


def _way(name: str, way: CaseWay | None) -> tuple[object, ...]:
    if way is None:
        return (name, "no", "", "", "", "not for some passengers")
    money, why = way.money, "" if way.error is None else way.error.message
    back = "" if money is None or money.estimated_refund is None else f"{money.estimated_refund} {money.currency}"
    fee = "" if money is None or money.fee is None else f"{money.fee} {money.currency}"
    return (name, "yes" if way.possible else "no", back, fee, stamp(way.deadline) if way.deadline else "", why)


def _common(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every submit."""
    for option in reversed((
        click.option("--key", help="The key of the case; without it one that is made of the request."),
        click.option("--currency", help="Refused in another currency."),
        click.option("--max-fee", metavar="AMOUNT"),
        click.option("--after", metavar="ID", help="An earlier case on this order that was given up."),
        click.option("--request", "request_file", metavar="FILE", help="More of the request, as JSON."),
        click.option("--wait", type=float, default=0, metavar="SECONDS", help="Follow it for this long."),
        click.option("--live", is_flag=True, help="Do it; without it a terminal asks, and anything else is refused."),
    )):  # fmt: skip
        command = option(command)
    return command


def _refunds(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed((
        click.option("--min-refund", metavar="AMOUNT", help="Refused if less cash would come back."),
        click.option("--accept-voucher", is_flag=True, default=None),
        click.option("--offer-id", help="An offer quoted through this store; a new one without it."),
    )):  # fmt: skip
        command = option(command)
    return command


_PASSENGERS = click.option("--passengers", metavar="1,2|NAMES", help="Positions or names; all without it.")
_ORDER = click.argument("order_no", metavar="ORDER")
_PAY = click.option("--pay", type=click.Choice(list(PAYMENT_METHODS)), help="How to pay; without it it waits for payment.")
_PRICE = click.option("--max-price", metavar="AMOUNT", help="Refused if it costs more.")


@click.command()
@_ORDER
@_PASSENGERS
@click.option("--reason", type=click.Choice(["0", "1"]), help="0 involuntary, 1 voluntary (default).")
@click.option("--accept-unquoted", is_flag=True, default=None, help="Also if the airline decides the amount.")
@_refunds
@_common
@pass_session
def refund(session: Session, **given: Any) -> int:
    """Refund ORDER, or some of its passengers."""
    return _open(session, "refund", **given)


@click.command()
@_ORDER
@_refunds
@_common
@pass_session
def void(session: Session, **given: Any) -> int:
    """Void ORDER."""
    return _open(session, "void", **given)


@click.command()
@_ORDER
@click.option("--accept-unquoted", is_flag=True, default=None, help="Also if the airline decides the amount.")
@_refunds
@_common
@pass_session
def cancel(session: Session, **given: Any) -> int:
    """Void ORDER while that is possible, else refund it."""
    return _open(session, "cancel", **given)


@click.command()
@_ORDER
@click.option("--product", "product_codes", multiple=True, metavar="CODE[@SEGMENT]", help="What to buy; may be repeated.")
@_PASSENGERS
@_PRICE
@_PAY
@click.option("--accept-foreign", is_flag=True, default=None, help="Also beside baggage that another program ordered.")
@_common
@pass_session
def bag(session: Session, product_codes: tuple[str, ...], **given: Any) -> int:
    """Buy baggage or other extras for ORDER; without --product, what can be bought."""
    if not product_codes and given["request_file"] is None:
        return _products(session, given["order_no"])
    products: list[dict[str, Any]] = []
    for text in product_codes:
        code, _, segment = text.partition("@")
        products.append({"product_code": code, **({"segment_index": segment} if segment else {})})
    return _open(session, "ancillary", products=products or None, **given)


def _products(session: Session, order_no: str) -> int:
    reply = session.client.post_booking_ancillary_search(ticket_order_no=order_no, ancillary_category="BAGGAGE")
    found = [each for each in reply.ancillary_product_elements or [] if each.can_purchase_post_ticket]
    if session.json:
        output.document({"products": found})
        return output.DONE
    rows = [(p.product_code, p.segment_index, p.product_name or p.category_code, f"{p.price} {p.currency}", p.max_qty) for p in found]
    output.table(("code", "segment", "what", "price", "at most"), rows)
    return output.DONE


@click.command()
@_ORDER
@_PRICE
@_PAY
@click.option("--accept-foreign", is_flag=True, default=None, help="Also beside an order that another program made.")
@_common
@pass_session
def regenerate(session: Session, **given: Any) -> int:
    """Rebuild ORDER, whose ticketing failed."""
    return _open(session, "regenerate", **given)


@click.command()
@_ORDER
@_common
@pass_session
def stop(session: Session, **given: Any) -> int:
    """Stop the ticketing of ORDER."""
    return _open(session, "stop", **given)


@click.command()
@click.argument("locator")
@_common
@pass_session
def claim(session: Session, locator: str, **given: Any) -> int:
    """Make an order of the booking LOCATOR; --request FILE has mmb, passengers and fromSegments."""
    if given["request_file"] is None:
        raise click.UsageError("give --request FILE with mmb, passengers and fromSegments, as in pnrClaim")
    given["key"] = given["key"] or f"claim-{locator}"
    return _open(session, "claim", order_no=None, **given)


def _open(
    session: Session, kind: str, *, order_no: str | None, key: str | None, request_file: str | None, wait: float,
    live: bool, pay: str | None = None, passengers: str | None = None, **given: Any,
) -> int:  # fmt: skip
    """Opens a case, which moves money, and says how it stands."""
    request: dict[str, Any] = {} if request_file is None else _read(request_file)
    expect = {name: given.pop(name) for name in _EXPECT if given.get(name) is not None}
    request.update({name: value for name, value in given.items() if value is not None and name not in _EXPECT})
    if passengers:
        request["passengers"] = passengers_of(passengers)
    if expect:
        request["expect"] = {**request.get("expect", {}), **expect}
    if pay:
        request["payment"] = {"payment_method": PAYMENT_METHODS[pay]}
    if order_no is not None:
        request["order_no"] = order_no
    word = order_no or (key or "").removeprefix("claim-")
    request["key"] = key or request.get("key") or default_key(kind, str(order_no), request.get("passengers"))
    request["kind"] = kind
    session.settings.require()
    session.settings.require_store()
    session.confirm(live, f"{kind} of {word}", word)
    client = session.stored
    reply = _drive(session, lambda: client.case_open(request))
    end = output.exit_code(reply.outcome)
    if wait > 0 and not reply.case.final:
        for progress in client.follow(key=request["key"], timeout_ms=round(wait * 1000)):
            if progress.case is not None:
                end = output.exit_code(progress.case.outcome)
    _show(session, request["key"], reply)
    return end


def _drive(session: Session, call: Callable[[], CaseReply]) -> CaseReply:
    from .._errors import AtlasError

    try:
        return call()
    except AtlasError as error:
        # Whether it happened is said first; then how the case stands, and what to do.
        if not session.json and error.reply is not None and error.reply.case is not None:
            from . import story

            case = error.reply.case
            output.note(f"{story.verdict(case)}\ncase {case.key}; more: atlas-postbooking cases show {case.key}\n")
        raise


def _show(session: Session, key: str, reply: CaseReply) -> None:
    case = session.client.cases.get(key)
    if session.json:
        output.document({"ok": True, "outcome": case.outcome, "case": case, "warnings": [each.to_dict() for each in reply.warnings]})
        return
    from . import story

    output.say(story.verdict(case))
    money = case.money
    output.pairs([
        ("case", case.key), ("code", case.code),
        ("refund", None if money is None or money.estimated_refund is None else f"{money.estimated_refund} {money.currency}, fee {money.fee}"),
    ])  # fmt: skip
    for warning in reply.warnings:
        output.note(f"warning {warning.code}: {warning.message}")
    output.say(story.advice(case, session.now()).text)


def _read(path: str) -> dict[str, Any]:
    try:
        value: Any = json.loads(Path(path).read_text(encoding="utf-8-sig"), parse_float=Decimal)
    except (OSError, ValueError) as fault:
        raise click.UsageError(f"the request {path} cannot be read: {fault}") from None
    if not isinstance(value, dict):
        raise click.UsageError(f"the request {path} must be a JSON object")
    return value
