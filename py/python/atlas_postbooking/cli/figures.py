"""Numbers over cases: what is open, stuck and under way. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..replies import Case

_DAY = timedelta(days=1)
_BUYS = frozenset({"ancillary", "regenerate", "pay"})


def is_stuck(case: Case, now: datetime) -> bool:
    """Whether only a person, or opening it again, moves the case on, and neither did for a day: as case.stats counts."""
    if case.final:
        return False
    if case.state in ("planned", "quoting"):
        since = case.next_due_at or case.updated_at
        return since is not None and since + _DAY <= now
    # Of an unpaid order the moment is the end of a pause of the vendor, if there is one.
    if case.state == "awaiting_payment":
        return case.next_due_at is not None and case.next_due_at + _DAY <= now
    return case.state == "needs_human"


@dataclass
class Sum:
    """Amounts of one currency."""

    #: Estimated, and not back yet: cash before the fee.
    coming_back: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    #: Of those whose outcome is unknown: part of what may come back.
    unknown: Decimal = Decimal(0)
    #: What purchases cost that are under way.
    to_pay: Decimal = Decimal(0)
    #: Cases without an estimate.
    without_amount: int = 0


@dataclass
class Figures:
    """The figures of a report over open cases."""

    cases: Sequence[Case]
    stuck: list[Case] = field(default_factory=list["Case"])
    unknown: list[Case] = field(default_factory=list["Case"])
    states: dict[str, int] = field(default_factory=dict[str, int])
    #: By currency, in alphabetical order.
    sums: dict[str, Sum] = field(default_factory=dict[str, Sum])
    ages: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])


_AGES = (("under 1 h", 1), ("1-6 h", 6), ("6-24 h", 24), ("1-3 d", 72), ("3-7 d", 168), ("1-3 weeks", 504), ("over 3 weeks", 0))


def figures(cases: Iterable[Case], now: datetime) -> Figures:
    """The figures over cases, which are open ones."""
    every = list(cases)
    made = Figures(every)
    ages = dict.fromkeys((name for name, _ in _AGES), 0)
    sums: dict[str, Sum] = {}
    for case in every:
        if is_stuck(case, now):
            made.stuck.append(case)
        if case.outcome == "unknown":
            made.unknown.append(case)
        state = case.state or ""
        made.states[state] = made.states.get(state, 0) + 1
        if case.created_at is not None:
            hours = (now - case.created_at) / timedelta(hours=1)
            ages[next(name for name, limit in _AGES if not limit or hours < limit)] += 1
        _add(sums, case)
    made.sums = dict(sorted(sums.items()))
    made.ages = list(ages.items())
    return made


def _add(sums: dict[str, Sum], case: Case) -> None:
    """Adds the money of a case that may have moved: not what is only planned."""
    if case.outcome not in ("executed", "unknown") and case.state != "awaiting_payment":
        return
    money = case.money
    amount = None if money is None else money.paid if case.kind in _BUYS else money.estimated_refund
    if money is None or amount is None or not money.currency:
        if case.kind not in ("stop", "claim"):
            sums.setdefault(money.currency or "?" if money else "?", Sum()).without_amount += 1
        return
    total = sums.setdefault(money.currency, Sum())
    if case.kind in _BUYS:
        total.to_pay += amount
        return
    total.coming_back += amount
    total.fees += money.fee or 0
    if case.outcome == "unknown":
        total.unknown += amount
