"""A refund as a case, until the money is paid. It can be killed at any moment and started again with the same
arguments: it goes on, prints the outcome, and submits nothing twice.

python resume.py BASE_URL ORDER_NO STORE
"""

from atlas_postbooking import AtlasError, OutcomeUnknown, Record
from example import DONE, REFUSED, UNRESOLVED, Session, print_line, run_with_store


def earlier_run(session: Session, key: str) -> Record | None:
    """The case that an earlier run of this program opened."""
    try:
        return session.client.case_get(key=key).case
    except AtlasError as error:
        if error.code == "not_found":
            return None
        raise


def open_case(session: Session, key: str) -> bool:
    """Opens or resumes the case; whether there is something to follow."""
    try:
        # If less than 20 USD would be given back, nothing is submitted.
        expect = {"currency": "USD", "min_refund": "20"}
        case = session.client.case_open(kind="refund", order_no=session.order_no, key=key, expect=expect).case
        assert case is not None
        print_line("happened?", f"yes: refund {case.code or 'without a number yet'}")
        for evidence in case.evidence:
            print_line("", evidence.what)
    except OutcomeUnknown as lost:  # neither success nor failure; the case is queried further
        print_line("happened?", f"not known yet: {lost.message}")
    except AtlasError as refused:
        print_line("happened?", f"no, for certain: {refused.message}")
        print_line("", refused.help)
        return False
    return True


def follow(session: Session, key: str) -> int:
    """Makes the queries that are due, and prints every change."""
    last, case = None, None
    for progress in session.client.follow(key=key, every_ms=5):
        case = progress.case
        if case.state != last:
            print_line(session.elapsed(), case.state)
            last = case.state
        if progress.open == 0 or session.minutes > 60 * 24 * 60:
            break
        session.wait(240)
    if case is None or not case.final:
        return UNRESOLVED
    return DONE if case.outcome == "executed" and last != "rejected" else REFUSED


def refund(session: Session) -> int:
    # The key is the same in every run: it names the intention, not the attempt.
    key = f"refund-of-{session.order_no}"
    session.booking()
    earlier = earlier_run(session, key)
    if earlier is None:
        session.print_deposit("before")
        print_line("submit", "a refund, as a case")
    else:
        print_line("again", f"the store has it: {earlier.state}, outcome {earlier.outcome}")
    end = follow(session, key) if open_case(session, key) else REFUSED
    session.print_deposit("after")
    results = {DONE: "refunded", REFUSED: "not refunded"}
    print_line("the end", results.get(end, "still open: a person looks at it, and nothing is sent twice"))
    return end


if __name__ == "__main__":
    run_with_store(refund)
