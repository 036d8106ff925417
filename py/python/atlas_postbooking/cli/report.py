"""The report as one HTML page that can be mailed: no script, no address of anything outside, no passenger."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

from . import story, svg
from .times import ago, short, stamp

if TYPE_CHECKING:
    from decimal import Decimal

    from ..replies import Case
    from .figures import Figures

#: Rows in the table of open cases; the rest is in ``cases list``.
_MOST = 500

_STYLE = """
:root{--ink:#1c2733;--soft:#5b6875;--line:#d8dee5;--calm:#4179b5;--warn:#c98a1b;--bad:#b93a32;--paper:#fff;--tile:#f5f7f9}
@media(prefers-color-scheme:dark){:root{--ink:#e6ebf0;--soft:#9aa7b4;--line:#38434f;--calm:#6ba3de;--warn:#e0ab4a;--bad:#e8756d;--paper:#161c22;--tile:#1f272f}}
body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1040px;margin:2em auto;padding:0 1em}
h1{font-size:1.5em;margin:0}h2{font-size:1.1em;margin:2em 0 .5em}p{margin:.3em 0}.soft{color:var(--soft)}
.tiles{display:flex;flex-wrap:wrap;gap:.8em;margin:1.2em 0}.tile{background:var(--tile);border-radius:6px;padding:.7em 1.1em;min-width:7em}
.tile b{display:block;font-size:1.5em}.bad b{color:var(--bad)}.warn b{color:var(--warn)}
table{border-collapse:collapse;width:100%;font-size:.92em}th,td{text-align:left;padding:.35em .6em;border-bottom:1px solid var(--line);vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}code{font-size:.92em}.wide{overflow-x:auto}
svg{max-width:100%;height:auto}svg text{fill:var(--ink);font-size:13px}
.calm{fill:var(--calm)}.warn{fill:var(--warn)}.bad{fill:var(--bad)}.axis{stroke:var(--line)}
@media print{body{margin:0}}
""".strip().replace("\n", "")


def page(figures: Figures, now: datetime, origin: str, account: str) -> str:
    """The page."""
    stuck = {case.id for case in figures.stuck}
    whose = f"{origin}{f', account {account}' if account else ''}"
    body = [
        f"<h1>Open cases</h1><p class=soft>{escape(whose)} &middot; {escape(stamp(now))}</p>",
        _tiles(figures, now),
        "<h2>Money under way</h2>", _money(figures),
        "<h2>Waiting for a person</h2>", _stuck(figures.stuck, now),
        "<h2>By state</h2>", _states(figures),
        "<h2>By age</h2>", svg.bars("Open cases by age", [(name, count, str(count)) for name, count in figures.ages], ["calm"] * 4 + ["warn", "warn", "bad"]) if figures.cases else "<p>None.</p>",
        "<h2>When they were opened</h2>", svg.dots("Open cases by the time they were opened", _dots(figures.cases, stuck), now) or "<p>None.</p>",
        "<h2>All open cases</h2>", _all(figures.cases, stuck, now),
    ]  # fmt: skip
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f'<meta name="viewport" content="width=device-width"><title>Open cases, {now:%Y-%m-%d %H:%M}</title><style>{_STYLE}</style></head>'
    )
    return f"{head}\n<body>\n" + "\n".join(body) + "\n</body></html>\n"


def _tiles(figures: Figures, now: datetime) -> str:
    opened = [case.created_at for case in figures.cases if case.created_at is not None]
    oldest = ago(now - min(opened)) if opened else "-"
    tiles = [
        ("", len(figures.cases), "open"),
        ("warn" if figures.unknown else "", len(figures.unknown), "unknown"),
        ("bad" if figures.stuck else "", len(figures.stuck), "stuck"),
        ("", oldest, "oldest"),
        *(("", f"{total.coming_back} {name}", "coming back") for name, total in figures.sums.items() if total.coming_back),
    ]
    return '<div class="tiles">' + "".join(f'<div class="tile {tone}"><b>{escape(str(value))}</b>{name}</div>' for tone, value, name in tiles) + "</div>"


def _money(figures: Figures) -> str:
    if not figures.sums:
        return "<p>None.</p>"
    rows = [
        (name, total.coming_back, total.fees, total.unknown, total.to_pay, total.without_amount or "")
        for name, total in figures.sums.items()
    ]
    columns = ("currency", "coming back, estimated", "fees", "of it unknown", "purchases", "cases without an amount")
    note = "<p class=soft>Cash before fees, of what was executed or may have been; planned cases are not in it.</p>"
    return _table(columns, rows, numbers=(1, 2, 3, 4, 5)) + note + _money_bars(figures)


def _money_bars(figures: Figures) -> str:
    """The money that comes back, by state: one plot for each currency, since currencies cannot be compared."""
    plots: list[str] = []
    for currency in figures.sums:
        states: dict[str, Decimal] = {}
        for case in figures.cases:
            money = case.money
            if money is None or money.currency != currency or money.estimated_refund is None:
                continue
            if case.outcome in ("executed", "unknown") and case.kind not in ("ancillary", "regenerate", "pay"):
                states[case.state or ""] = states.get(case.state or "", 0 * money.estimated_refund) + money.estimated_refund
        rows = [(state, float(amount), f"{amount} {currency}") for state, amount in sorted(states.items())]
        plots.append(svg.bars(f"Money coming back in {currency}, by state", rows, [_tone(state) for state, _, _ in rows]))
    return "".join(plots)


def _stuck(cases: Sequence[Case], now: datetime) -> str:
    if not cases:
        return "<p>None.</p>"
    rows: list[tuple[object, ...]] = []
    for case in cases:
        command = f"atlas-postbooking cases show {shlex.quote(case.key or '')}"
        text = f"{escape(story.verdict(case))}<br>What to do, and a text for Atlas: <code>{escape(command)}</code>"
        rows.append((case.key, case.order_no, case.state, story.age(case, now), _Html(text)))
    return _table(("key", "order", "state", "age", "what is known"), rows)


def _states(figures: Figures) -> str:
    rows = [(state, count, str(count)) for state, count in sorted(figures.states.items(), key=lambda each: -each[1])]
    return svg.bars("Open cases by state", rows, [_tone(state) for state, _, _ in rows]) or "<p>None.</p>"


def _tone(state: str) -> str:
    return {"needs_human": "bad", "unknown": "warn", "sending": "warn"}.get(state, "calm")


def _dots(cases: Iterable[Case], stuck: set[str | None]) -> list[tuple[datetime, str, str]]:
    return [
        (case.created_at, "bad" if case.id in stuck else _tone(case.state or ""), f"{case.key}: {case.state}")
        for case in cases
        if case.created_at is not None
    ]


def _all(cases: Sequence[Case], stuck: set[str | None], now: datetime) -> str:
    rows: list[tuple[object, ...]] = []
    for case in cases[:_MOST]:
        money = case.money
        amount = "" if money is None or money.estimated_refund is None else f"{money.estimated_refund} {money.currency}"
        who = ", by another program" if case.adopted else ""
        rows.append((case.key, case.order_no, case.kind, f"{case.outcome}{who}", f"{case.state}{' (stuck)' if case.id in stuck else ''}",
                     story.age(case, now), amount, case.code, short(case.next_due_at)))  # fmt: skip
    columns = ("key", "order", "kind", "outcome", "state", "age", "refund", "code", "next question")
    more = f"<p class=soft>The first {_MOST} of {len(cases)}; all are in <code>atlas-postbooking cases list</code>.</p>" if len(cases) > _MOST else ""
    return (_table(columns, rows, numbers=(5, 6)) if rows else "<p>None.</p>") + more


class _Html(str):
    """Text that is HTML already."""


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]], numbers: Sequence[int] = ()) -> str:
    def cell(tag: str, i: int, value: object) -> str:
        text = value if isinstance(value, _Html) else escape("" if value is None else str(value))
        return f"<{tag}{' class=n' if i in numbers else ''}>{text}</{tag}>"

    head = "".join(cell("th", i, name) for i, name in enumerate(columns))
    body = "".join("<tr>" + "".join(cell("td", i, value) for i, value in enumerate(row)) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
