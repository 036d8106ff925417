"""A refund as a case, from the intention to the money. Kill it at any moment and start it again with the same
arguments: it goes on, tells what happened, and sends nothing twice.

python resume.py BASE_URL ORDER_NO STORE
"""

from atlas_postbooking import AtlasError, OutcomeUnknown, Record, Refused
from shared import REFUSED, SETTLED, UNSETTLED, Context, run_with_store, report


def earlier_run(context: Context, key: str) -> Record | None:
    """What the store has of this refund."""
    try:
        return context.client.case_get(key=key).case
    except Refused:
        return None  # there is no such case


def open_case(context: Context, key: str) -> bool:
    """Opens the case, or goes on with it. Whether there is something to follow."""
    try:
        # Less than twenty dollars is not worth a seat: then nothing is sent.
        expect = {"currency": "USD", "min_refund": "20"}
        case = context.client.case_open(kind="refund", order_no=context.order_no, key=key, expect=expect).case
        assert case is not None
        report("happened?", f"yes: refund {case.code or 'without a number yet'}")
        for evidence in case.evidence:
            report("", evidence.what)
    except OutcomeUnknown as lost:  # neither a success nor a failure; the case asks on
        report("happened?", f"not known yet: {lost.message}")
    except AtlasError as refused:
        report("happened?", f"no, for certain: {refused.message}")
        report("", refused.help)
        return False
    return True


def follow(context: Context, key: str) -> int:
    """Asks when it is due, and tells every change."""
    last, case = None, None
    for progress in context.client.follow(key=key, every_ms=5):
        case = progress.case
        if case.state != last:
            report(context.when(), case.state)
            last = case.state
        if progress.open == 0 or context.minutes > 60 * 24 * 60:
            break
        context.wait(240)
    if case is None or not case.final:
        return UNSETTLED
    return SETTLED if case.outcome == "executed" and last != "rejected" else REFUSED


def refund(context: Context) -> int:
    key = f"refund-of-{context.order_no}"
    context.booking()
    earlier = earlier_run(context, key)
    if earlier is None:
        context.report_deposit("before")
        report("submit", "a refund, as a case")
    else:
        report("again", f"the store has it: {earlier.state}, outcome {earlier.outcome}")
    end = follow(context, key) if open_case(context, key) else REFUSED
    context.report_deposit("after")
    words = {SETTLED: "refunded", REFUSED: "not refunded"}
    report("the end", words.get(end, "still open: a person looks at it, and nothing is sent twice"))
    return end


if __name__ == "__main__":
    run_with_store(refund)
