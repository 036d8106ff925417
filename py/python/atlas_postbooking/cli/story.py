"""A case in words: what was sent when, what was asked, what it proved, and what to do. Pure: no store, no network."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from .times import ago, stamp

if TYPE_CHECKING:
    from ..replies import Case, CaseStep

#: What a case of each kind asks for.
THINGS = {
    "refund": "refund", "void": "void", "cancel": "cancellation", "ancillary": "purchase of extras",
    "regenerate": "rebuilt order", "stop": "stop of ticketing", "claim": "claim of the booking", "pay": "payment",
}  # fmt: skip

#: The vendor's name of the request of each step.
REQUESTS = {
    "refund": "refund", "void": "void", "order": "postBookingAncillaryOrder", "pay": "pay",
    "regenerate": "regenerateOrder", "stop": "stopTicket", "claim": "pnrClaim",
}  # fmt: skip

_STATES = {
    "planned": "nothing that was sent was executed; it waits to be opened again",
    "quoting": "the vendor was asked for a quotation; nothing was sent that moves money",
    "sending": "a process is sending it now",
    "unknown": "a request may have been executed, and the vendor's answers do not say yet",
    "awaiting_payment": "the new order stands and is not paid",
    "ticketing": "the tickets are being issued",
    "ticketed": "the tickets are issued",
    "atlas_processing": "Atlas has accepted it and is working on it",
    "airline_processing": "it is with the airline",
    "refunding": "the money is on its way",
    "refunded": "the money is back",
    "rejected": "Atlas accepted the request and then rejected it: no money comes back",
    "fulfilled": "it is done",
    "withdrawn": "it was withdrawn at Atlas",
    "stopped": "ticketing was stopped",
    "stop_failed": "the tickets were issued before the stop",
    "claimed": "the booking is an order of this account",
    "cancelled": "it did not happen, or was not paid in time",
    "refused": "it was refused before anything was executed",
    "needs_human": "the program cannot find out more; a person has to ask Atlas",
}

_LISTED = r"^query(Void|Refund)Orders lists \S+$"

#: What a line of evidence means, by its text; the first pattern that is found. Others are read by their strength.
_MEANINGS: tuple[tuple[str, str], ...] = (
    (r"submitted before, not by this case$", "Proves that another program had submitted it; this case sent nothing for it."),
    (_LISTED, "Proves that it was executed: the vendor lists it."),
    (r"as it did not before the submit$",
     "Shows that it was executed: the same quotation had worked before the request was sent."),
    (r"which does not say whose$|: something is there$",
     "Shows that a refund or void is there, not whose: proves nothing about this request."),
    (r"which proves little$", "Proves nothing by itself: the vendor may quote although a refund is there."),
    (r"too early to mean anything$", "Proves nothing: so soon after sending, the list may lag behind."),
    (r"does not show it after the settle time$", "Points to not executed; one more such answer is needed."),
    (r"does not show it again$", "Proves that it was not executed: twice absent after the settle time."),
    (r"which proves nothing|cannot be told apart$|is not known$", "Proves nothing."),
    (r": done before$", "Proves that the effect is there, by an earlier request."),
    (r"says executed$", "Proves that it was executed: the stored reply of the request."),
    (r"says not executed$", "The stored reply of the request; later proof stands above it."),
    (r"which did not stand before$", "Shows that it was executed: the new order was not there before."),
    (r"shows the order paid$", "Proves that it was executed: the order is paid."),
    (r"^case .* holds its order by now$", "Another case has the order: compare both before anything is sent."),
    (r"older than what was sent through it$", "The store was put back to an earlier day: what it does not know may exist."),
)  # fmt: skip

_STRENGTHS = {
    "strong": "Proof by itself.",
    "fair": "Counts; with a second such answer it is proof.",
    "weak": "Proves nothing by itself.",
    "human": "A person's word, which settles the case.",
}


@dataclass(frozen=True)
class Moment:
    """A line of the timeline."""

    at: datetime | None
    what: str
    #: What it proved; empty for what is no evidence.
    proved: str = ""


@dataclass(frozen=True)
class Advice:
    """What to do now."""

    text: str
    commands: tuple[str, ...] = ()


def thing(case: Case) -> str:
    return THINGS.get(case.via or case.kind or "", case.kind or "request")


def state_in_words(case: Case) -> str:
    return _STATES.get(case.state or "", "a state that this version does not know")


def proved(what: str, strength: str | None, adopted: bool = False) -> str:
    """What a line of evidence proves; of an adopted case the offer that is listed is another program's."""
    if adopted and re.search(_LISTED, what):
        return "Proves that Atlas has one, by another program: the offer is not the one that this case submitted."
    for pattern, meaning in _MEANINGS:
        if re.search(pattern, what):
            return meaning
    return _STRENGTHS.get(strength or "", "")


def was_sent(case: Case) -> bool:
    """Whether a request of this case may have left."""
    return any(step.sent_at is not None for step in case.steps or [])


def human_word(case: Case) -> str:
    """The last decision of a person in the case; empty if there is none."""
    said = [each.what for each in case.evidence or [] if each.strength == "human" and each.what]
    return said[-1] if said else ""


def was_found(case: Case) -> bool:
    """Whether it is known by what was asked after it was sent, and not by the reply."""
    return was_sent(case) and not case.adopted and any(each.strength in ("strong", "fair") for each in case.evidence or [])


def verdict(case: Case) -> str:
    """Whether it happened, in one or two sentences."""
    name, offer = thing(case), case.offer_id
    if case.purged:
        return f"The case was purged; it ended as {case.outcome}."
    if case.adopted and case.outcome == "executed":
        listed = f" (offer {offer})" if offer else ""
        text = f"EXECUTED, BY ANOTHER PROGRAM. Atlas has a {name}{listed} that this case did not submit; it follows it now."
        if was_sent(case):
            text += (
                " The request of this case was answered that something is there already, and Atlas shows no second one:"
                " the step below says executed because the effect exists, not because its request made it."
            )
        return text
    if case.outcome == "executed" and human_word(case):
        return f"EXECUTED, by a person's word: {human_word(case)}. Now: {state_in_words(case)}."
    if case.outcome == "executed":
        found = " Its reply was lost or said nothing; what was asked afterwards proves it." if was_found(case) else ""
        return f"EXECUTED. Atlas has this {name}; {state_in_words(case)}.{found}"
    if case.outcome == "not_executed":
        text = f"NOT EXECUTED. This {name} did not happen"
        word = human_word(case)
        if word:
            return f"{text}, by a person's word: {word}."
        if case.watched_until is not None:
            return f"{text}: Atlas does not list it. It is looked for until {stamp(case.watched_until)}, in case it shows late."
        return f"{text}: {_reason(case)}."
    if case.outcome == "unknown":
        how = "It may have been executed: " + _how_lost(case)
        return f"UNKNOWN. {how} Do not send it again; nothing is lost by waiting."
    return f"PENDING. Nothing is lost: {state_in_words(case)}."


def _reason(case: Case) -> str:
    error = case.error
    if error is None or not error.message:
        return state_in_words(case)
    return error.message


def _how_lost(case: Case) -> str:
    error = case.error
    if error is not None and error.message:
        if error.code == "already_submitted":
            return (
                f"{error.message}. So a {thing(case)} is there already, and the answer does not say whose: it may be"
                " another program's, or this request's own."
            )
        return f"the request was sent, and then {_after(error.code, error.message)}."
    return "the request was sent and its reply did not arrive."


def _after(code: str | None, message: str) -> str:
    return message if code in ("in_progress", "vendor_uncertain", "refused") else f"its reply was lost ({message})"


def reply_of(step: CaseStep) -> str:
    """What came back of the last attempt of a step, as far as the case says."""
    if step.request_id:
        return f"request id {step.request_id}"
    return "no request id: no answer with one arrived"


def timeline(case: Case) -> list[Moment]:
    """What happened, in the order of time."""
    moments = [Moment(case.created_at, f"Opened: {case.kind} of order {case.order_no or 'not known yet'}, key {case.key}.")]
    for step in case.steps or []:
        name = REQUESTS.get(step.name or "", str(step.name))
        offer = f", offer {case.offer_id}" if case.offer_id and not case.adopted else ""
        if step.sent_at is not None:
            times = "" if step.attempts in (None, 1) else f"; attempt {step.attempts}, the earlier ones were not executed"
            moments.append(Moment(step.sent_at, f"Sent: {name}{offer} ({reply_of(step)}){times}."))
            if case.error is not None and case.error.message and step is (case.steps or [])[-1]:
                moments.append(Moment(step.sent_at, f"What came back: {case.error.message}."))
        elif step.attempts:
            moments.append(Moment(step.at, f"Tried: {name}{offer}. It did not leave this machine, or was refused."))
    for each in case.evidence or []:
        moments.append(Moment(each.at, f"{each.what}.", proved(each.what or "", each.strength, bool(case.adopted))))
    if case.error is not None and case.error.message and not was_sent(case):
        moments.append(Moment(case.updated_at, f"What came back: {case.error.message}."))
    if case.updated_at is not None:
        state = state_in_words(case)
        moments.append(Moment(case.updated_at, f"Now {case.state}: {state}."))
    # Stable: what has the same time stays in the order of its making.
    return sorted(moments, key=lambda each: each.at.timestamp() if each.at else float("inf"))


def advice(case: Case, now: datetime | None = None) -> Advice:
    """What an operator should do, with the commands."""
    key = shlex.quote(case.key or "")
    show, order = f"atlas-postbooking cases show {key}", shlex.quote(case.order_no or "ORDER")
    ask = f"atlas-postbooking cases reconcile {key}"
    resolve = f"atlas-postbooking cases resolve {key} --as executed --by NAME --evidence TEXT --code CODE"
    compare = (f"atlas-postbooking orders show {order}", f"atlas-postbooking cases list --order {order}")
    if case.purged:
        return Advice("Nothing: it is over.")
    if case.adopted and case.outcome == "executed":
        text = (
            "Do not submit it again. Find the program that submitted it, and let only one of them do this for an order. "
            "Compare Atlas's list with the cases; the follow-up goes on by itself."
        )
        return Advice(text, (*compare, resolve) if case.state == "needs_human" else compare)
    if case.state == "needs_human":
        what = "Find out whether another program did the same, then send Atlas the text below. " + (
            "Record the code that they give: then the follow-up goes on by itself."
            if case.outcome == "executed"
            else "Record their answer; do not send it again before."
        )
        answers = (resolve,) if case.outcome == "executed" else (resolve, resolve.replace("executed", "not_executed", 1).replace(" --code CODE", ""))
        return Advice(what, (*compare, *answers))
    if case.outcome == "unknown":
        due = f" Next question: {stamp(case.next_due_at)}." if case.next_due_at else ""
        late = bool(now and case.next_due_at and case.next_due_at < now)
        running = " That is over: check that `atlas-postbooking follow` is running." if late else ""
        return Advice(f"Nothing yet: the follow-up asks Atlas.{due}{running} To ask now:", (ask, show))
    if case.state in ("planned", "quoting"):
        wait = f" Not before {stamp(case.next_due_at)}: the vendor wants a pause." if case.next_due_at else ""
        return Advice(f"Open it again with the same key and content; it goes on where it was.{wait}")
    if case.state == "awaiting_payment":
        limit = f" before {stamp(case.deadline)}" if case.deadline else ""
        return Advice(f"Pay{limit} by opening it again with the same key and a payment, or let it lapse.")
    if case.outcome == "not_executed":
        after = f" --key NEW-KEY --after {case.id}" if case.watched_until else " --key NEW-KEY"
        return Advice(f"Settled. If it is still wanted, open a new case{' (a risk: the first may still show up)' if case.watched_until else ''}.",
                      (f"atlas-postbooking {_command(case)} {order}{after}",) if _command(case) else ())  # fmt: skip
    if case.final:
        return Advice("Nothing: it is over.")
    due = f" Atlas is asked again at {stamp(case.next_due_at)}." if case.next_due_at else ""
    return Advice(f"Nothing: the follow-up goes on by itself.{due}", (show,))


def _command(case: Case) -> str:
    kind = case.kind or ""
    return kind if kind in ("refund", "void", "cancel", "regenerate", "stop") else ""


def letter(case: Case) -> str:
    """A text to send to Atlas: numbers and times, no passenger."""
    name = thing(case)
    lines = [f"Subject: {name} of order {case.order_no}: please tell us its status", "", "Dear Atlas support,", ""]
    sent = [step for step in case.steps or [] if step.sent_at is not None]
    if case.adopted and case.outcome == "executed":
        lines += [f"for this order your list has a {name} that another of our programs submitted:", ""]
    elif sent and case.outcome == "executed":
        code = "" if case.code else ", and we do not have its code"
        lines += [f"we sent this {name}. You have it, by what you answered later{code}:" if was_found(case) else f"you accepted this {name}{code}:", ""]
    elif sent and case.outcome == "not_executed":
        lines += [f"we sent this {name}. By your answers it was not executed:", ""]
    elif sent:
        lines += [f"we sent this {name} and cannot tell from your answers what became of it:", ""]
    else:
        lines += [f"we have a question about a {name} of this order:", ""]
    rows = [("Order", case.order_no), ("Offer id", case.offer_id), ("Your code", case.code)]
    for step in sent:
        request = REQUESTS.get(step.name or "", str(step.name))
        rows.append((f"{request} sent", stamp(step.sent_at)))
        rows.append(("Request id", step.request_id or "none received"))
    if case.error is not None and case.error.vendor_status is not None:
        rows.append(("Your answer", f"status {case.error.vendor_status}"))
    if case.money is not None and case.money.estimated_refund is not None:
        rows.append(("Quoted refund", f"{case.money.estimated_refund} {case.money.currency}, fee {case.money.fee}"))
    rows.append(("Our reference", case.key))
    width = max(len(label) for label, value in rows if value) + 2
    lines += [f"  {label + ':':<{width}}{value}" for label, value in rows if value]
    lines += ["", "What we saw since:"]
    seen = [f"  {stamp(each.at)}  {each.what}" for each in case.evidence or [] if each.strength != "human"]
    lines += seen or ["  nothing yet"]
    lines += ["", "Please tell us:", f"  1. Was this {name} executed? Once, or more than once?"]
    if case.kind in ("refund", "void", "cancel"):
        lines += ["  2. Its refundCode or voidCode, its status and its amount.",
                  "  3. If the order has a second one: which of them stands, and can the other be withdrawn?"]  # fmt: skip
    else:
        lines += ["  2. The number of the order it made, its status and its amount."]
    return "\n".join([*lines, "", "Thank you."])


def age(case: Case, now: datetime) -> str:
    return "" if case.created_at is None else ago(now - case.created_at)
