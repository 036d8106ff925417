"""``cases``: what is open, what changed, what happened, and a person's word."""

from __future__ import annotations

import csv
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import output
from .session import Session, pass_session
from .times import ago, short, stamp

if TYPE_CHECKING:
    from ..replies import Case

_COLUMNS = ("key", "order", "kind", "outcome", "state", "age", "refund", "next question")


@click.group()
def cases() -> None:
    """Cases of the store; no network is needed, but for reconcile."""


@cases.command("list")
@click.option("--open/--all", "is_open", default=None, help="Only open ones, or all.")
@click.option("--stuck", is_flag=True, help="Only those that wait for a person.")
@click.option("--order", "order_no", metavar="NO")
@click.option("--kind")
@click.option("--outcome")
@click.option("--state")
@pass_session
def list_cases(session: Session, is_open: bool | None, stuck: bool, **filters: Any) -> int:
    """The cases, oldest first; without an option, the open ones."""
    from .figures import is_stuck

    given = any(value is not None for value in filters.values())
    wanted = True if stuck or is_open or (is_open is None and not given) else None
    now = session.now()
    found = list(session.stored.cases.list(open=wanted, **filters))
    if stuck:
        found = [case for case in found if is_stuck(case, now)]
    if session.json:
        output.document({"cases": found})
        return output.DONE
    output.table(_COLUMNS, [_row(case, now) for case in found])
    output.note(f"{len(found)} case{'' if len(found) == 1 else 's'}")
    return output.DONE


def _row(case: Case, now: Any) -> tuple[object, ...]:
    money, age = case.money, "" if case.created_at is None else ago(now - case.created_at)
    refund = "" if money is None or money.estimated_refund is None else f"{money.estimated_refund} {money.currency}"
    by = " (by another program)" if case.adopted else ""
    return (case.key, case.order_no, case.kind, f"{case.outcome}{by}", case.state, age, refund, short(case.next_due_at))


@cases.command()
@click.option("--since", type=int, metavar="N", help="Since this change number; without it, since the last look.")
@click.option("--seen", "seen_file", metavar="FILE", help="Where the last look is kept.")
@pass_session
def changes(session: Session, since: int | None, seen_file: str | None) -> int:
    """What arrived, what failed, what is unknown, since the last look."""
    client = session.stored
    path = Path(seen_file) if seen_file else _seen_path(session)
    listed = client.cases.list(changed_since=_last_look(path) if since is None else since)
    found = {case.id: case for case in listed}  # One that changed while the list was read comes twice.
    if session.json:
        output.document({"cases": list(found.values()), "next": listed.next_change})
    else:
        groups: dict[str, list[Case]] = {}
        for case in found.values():
            groups.setdefault(_group(case), []).append(case)
        now = session.now()
        for name in ("failed", "unknown", "arrived", "under way"):
            if groups.get(name):
                output.table(_COLUMNS, [_row(case, now) for case in groups[name]], f"{name}: {len(groups[name])}")
        output.note(f"{len(found)} changed; next look: --since {listed.next_change}")
    if since is None and listed.next_change is not None:
        # After the output: what could not be shown is shown again.
        sys.stdout.flush()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{listed.next_change}\n", encoding="ascii")
    return output.DONE


def _group(case: Case) -> str:
    if case.outcome == "unknown":
        return "unknown"
    if case.outcome == "not_executed" or case.state in ("rejected", "stop_failed", "needs_human", "withdrawn"):
        return "failed"
    return "arrived" if case.final else "under way"


def _seen_path(session: Session) -> Path:
    """A file of this user for this store and account."""
    from hashlib import sha256

    home = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    store = session.settings.values.get("store")
    path = session.settings.store_path
    name = f"{path.resolve() if path else store}\n{session.settings.values.get('account') or ''}"
    return Path(home) / "atlas-postbooking" / f"seen-{sha256(name.encode()).hexdigest()[:16]}"


def _last_look(path: Path) -> int:
    try:
        return int(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        return 0
    except (OSError, ValueError):
        raise click.UsageError(f"{path} has no change number; give --since N, or remove it") from None


@cases.command()
@click.argument("key")
@pass_session
def show(session: Session, key: str) -> int:
    """What happened in a case, what it proved, what to do, and a text for Atlas. KEY is its key or its id."""
    case = find(session, key)
    others = [] if not case.order_no else [each for each in session.client.cases.list(order_no=case.order_no) if each.id != case.id]
    from . import story

    now = session.now()
    advice = story.advice(case, now)
    if session.json:
        timeline = [{"at": each.at, "what": each.what, "proved": each.proved or None} for each in story.timeline(case)]
        output.document({
            "case": case, "verdict": story.verdict(case), "timeline": timeline, "advice": advice.text,
            "commands": advice.commands, "textForAtlas": story.letter(case), "sameOrder": others,
        })  # fmt: skip
        return output.DONE
    output.say(f"{case.key}: {story.thing(case)} of order {case.order_no}\n\n{story.verdict(case)}\n")
    money = case.money
    output.pairs([
        ("order", case.order_no),
        ("passengers", ", ".join(str(each) for each in case.passengers or []) or "all"),
        ("offer id", case.offer_id),
        ("code", case.code or ("not known" if story.was_sent(case) else None)),
        *[row for step in case.steps or [] for row in _step_rows(step, case)],
        ("outcome, state", f"{case.outcome}, {case.state}"),
        ("refund, fee", None if money is None or money.estimated_refund is None
         else f"{money.estimated_refund} {money.currency} before a fee of {money.fee if money.fee is not None else 'unknown'}"),
        ("came back", None if money is None or money.actual_refund is None else f"{money.actual_refund} {money.currency}"),
        ("next question", stamp(case.next_due_at) if case.next_due_at else None),
        ("id", case.id),
    ])  # fmt: skip
    output.say("\nWhat happened")
    for each in story.timeline(case):
        output.say(f"  {stamp(each.at) if each.at else '':<46}  {each.what}")
        if each.proved:
            output.say(f"  {'':<46}  -> {each.proved}")
    for other in others:
        output.say(f"\nAnother case on this order: {other.key} ({other.kind}, {other.outcome}, {other.state}, offer {other.offer_id or 'none'})")
    output.say(f"\nWhat to do\n  {advice.text}")
    for command in advice.commands:
        output.say(f"    {command}")
    output.say("\nText for Atlas, if you ask them\n")
    for line in story.letter(case).splitlines():
        output.say(f"  | {line}".rstrip())
    return output.DONE


def _step_rows(step: Any, case: Case) -> list[tuple[str, object]]:
    if step.sent_at is None:
        return []
    made = "executed by another program's request" if case.adopted and step.outcome == "executed" else step.outcome
    return [(f"{step.name} sent at", stamp(step.sent_at)), (f"{step.name} request id", step.request_id or "none: no answer with one arrived"),
            (f"{step.name} outcome", made)]  # fmt: skip


def find(session: Session, name: str) -> Case:
    """The case with this key, or else this id."""
    from .._errors import AtlasError

    try:
        return session.stored.cases.get(name)
    except AtlasError as missing:
        if missing.code != "not_found":
            raise
        try:
            return session.stored.cases.get(id=name)
        except AtlasError:
            raise missing from None


@cases.command()
@click.argument("key", required=False)
@click.option("--all", "every", is_flag=True, help="All whose outcome is unknown.")
@pass_session
def reconcile(session: Session, key: str | None, every: bool) -> int:
    """Ask Atlas now what became of a case."""
    if (key is None) is not every:
        raise click.UsageError("give a KEY, or --all")
    if key is None:
        reply = session.stored.cases.reconcile()
        outcomes: list[Any] = [case.outcome for case in session.stored.cases.list(open=True, outcome="unknown")]
    else:
        reply = session.stored.cases.reconcile(id=find(session, key).id)
        outcomes = [reply.case.outcome]
    if session.json:
        output.say(reply.json)
    elif key is not None:
        from . import story

        output.say(story.verdict(reply.case))
    else:
        output.say(f"{len(outcomes)} still unknown")
    return output.worst(outcomes)


@cases.command()
@click.argument("key")
@click.option("--as", "as_", type=click.Choice(["executed", "not_executed"]), help="What is known.")
@click.option("--by", help="Who decides: a name.")
@click.option("--evidence", help="What it rests on, for example a mail of Atlas with its date.")
@click.option("--code", help="The refundCode, voidCode or order number that Atlas gave.")
@pass_session
def resolve(session: Session, key: str, as_: str | None, by: str | None, evidence: str | None, code: str | None) -> int:
    """Record a person's decision; asks for what is not given."""
    case = find(session, key)
    if not session.json and sys.stdin.isatty():
        from . import story

        output.note(story.verdict(case))
        as_ = as_ or click.prompt("Did it happen?", type=click.Choice(["executed", "not_executed"]), err=True)
        by = by or click.prompt("Your name", err=True)
        evidence = evidence or click.prompt("What do you know it from", err=True)
        if as_ == "executed" and code is None:
            code = click.prompt("Atlas's code (empty if not known)", default="", show_default=False, err=True) or None
    missing = [name for name, value in (("--as", as_), ("--by", by), ("--evidence", evidence)) if not value]
    if missing:
        raise click.UsageError(f"give {', '.join(missing)}")
    text: Any = {"text": evidence, "code": code} if code else evidence
    reply = session.stored.case_resolve(id=case.id, as_="executed" if as_ == "executed" else "not_executed", by=by, evidence=text)
    if session.json:
        output.say(reply.json)
    else:
        output.say(f"recorded: {reply.case.key} is {reply.case.outcome}, {reply.case.state}")
    # The decision was recorded, whichever it is.
    return output.DONE


@cases.command()
@click.option("--csv", "as_csv", is_flag=True, help="CSV instead of a JSON object per line.")
@click.option("--open/--all", "is_open", default=None)
@click.option("--order", "order_no", metavar="NO")
@click.option("--kind")
@pass_session
def export(session: Session, as_csv: bool, is_open: bool | None, **filters: Any) -> int:
    """All cases as rows, without passengers."""
    from .csvfile import CASE_COLUMNS, case_row

    rows = session.stored.cases.export(open=True if is_open else None, **filters)
    if not as_csv:
        for row in rows:
            output.document(row)
        return output.DONE
    # By whole lines, in UTF-8 with a mark, by which Excel knows it.
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    output.binary(b"\xef\xbb\xbf")
    writer.writerow(CASE_COLUMNS)
    for row in rows:
        writer.writerow(case_row(row))
        _flush(text)
    _flush(text)
    return output.DONE


def _flush(text: io.StringIO) -> None:
    output.binary(text.getvalue().encode())
    text.seek(0)
    text.truncate()


@cases.command()
@click.option("--html", "path", metavar="FILE", help="The page, to be looked at or mailed; - for stdout.")
@pass_session
def report(session: Session, path: str | None) -> int:
    """Open cases, money under way, ages, stuck ones."""
    from .figures import figures

    now = session.now()
    made = figures(session.stored.cases.list(open=True), now)
    if session.json:
        sums = {name: vars(each) for name, each in made.sums.items()}
        output.document({"at": now, "open": len(made.cases), "unknown": len(made.unknown), "stuck": len(made.stuck),
                         "states": made.states, "sums": sums, "ages": dict(made.ages)})  # fmt: skip
    if path:
        from .report import page

        text = page(made, now, session.settings.base_url, str(session.settings.values.get("account") or ""))
        if path == "-":
            output.binary(text.encode())
        else:
            Path(path).write_text(text, encoding="utf-8")
            output.note(f"written to {path}")
    elif not session.json:
        output.say(f"open {len(made.cases)}, unknown {len(made.unknown)}, stuck {len(made.stuck)}")
        rows = [(name, s.coming_back, s.fees, s.unknown, s.to_pay, s.without_amount) for name, s in made.sums.items()]
        output.table(("currency", "coming back", "fees", "of it unknown", "purchases", "without amount"), rows)
        output.table(("state", "cases"), sorted(made.states.items()))
    return output.DONE
