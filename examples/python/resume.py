"""A refund as a case, from the intention to the money. Kill it at any moment and start it again with the same
arguments: it goes on, tells what happened, and sends nothing twice.

python resume.py BASE_URL ORDER_NO STORE
"""

from atlas_postbooking import AtlasError, OutcomeUnknown, Record, Refused
from desk import REFUSED, SETTLED, UNSETTLED, Desk, run_with_store, tell


def earlier_run(desk: Desk, key: str) -> Record | None:
    """What the store has of this refund."""
    try:
        return desk.client.case_get(key=key).case
    except Refused:
        return None  # there is no such case


def open_case(desk: Desk, key: str) -> bool:
    """Opens the case, or goes on with it. Whether there is something to follow."""
    try:
        # Less than twenty dollars is not worth a seat: then nothing is sent.
        expect = {"currency": "USD", "min_refund": "20"}
        case = desk.client.case_open(kind="refund", order_no=desk.order_no, key=key, expect=expect).case
        assert case is not None
        tell("happened?", f"yes: refund {case.code or 'without a number yet'}")
        for evidence in case.evidence:
            tell("", evidence.what)
    except OutcomeUnknown as lost:  # neither a success nor a failure; the case asks on
        tell("happened?", f"not known yet: {lost.message}")
    except AtlasError as refused:
        tell("happened?", f"no, for certain: {refused.message}")
        tell("", refused.help)
        return False
    return True


def follow(desk: Desk, key: str) -> int:
    """Asks when it is due, and tells every change."""
    last, case = None, None
    for progress in desk.client.follow(key=key, every_ms=5):
        case = progress.case
        if case.state != last:
            tell(desk.when(), case.state)
            last = case.state
        if progress.open == 0 or desk.minutes > 60 * 24 * 60:
            break
        desk.wait(240)
    if case is None or not case.final:
        return UNSETTLED
    return SETTLED if case.outcome == "executed" and last != "rejected" else REFUSED


def refund(desk: Desk) -> int:
    key = f"refund-of-{desk.order_no}"
    desk.booking()
    earlier = earlier_run(desk, key)
    if earlier is None:
        desk.tell_deposit("before")
        tell("submit", "a refund, as a case")
    else:
        tell("again", f"the store has it: {earlier.state}, outcome {earlier.outcome}")
    end = follow(desk, key) if open_case(desk, key) else REFUSED
    desk.tell_deposit("after")
    words = {SETTLED: "refunded", REFUSED: "not refunded"}
    tell("the end", words.get(end, "still open: a person looks at it, and nothing is sent twice"))
    return end


if __name__ == "__main__":
    run_with_store(refund)
