"""What the example programs share: a client with its order, lines of output, and a refund or void, which is
submitted once and queried until its state is final."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from atlas_postbooking import AlreadySubmitted, AtlasError, Client, NotExecuted, OutcomeUnknown, Record, Reply
from simulated_clock import advance_clock

# Exit codes. UNRESOLVED is neither success nor failure: a person has to find out.
DONE, REFUSED, USAGE_ERROR, UNRESOLVED = range(4)

# The codes with which Atlas refuses a quotation for what has been submitted.
ALREADY_SUBMITTED = {803, 814, 816, 817, 818}

STATES = {
    0: "Atlas is working on it",
    1: "the airline is working on it",
    2: "done",
    3: "the airline is paying it",
    4: "rejected",
    5: "done, by card",
    6: "withdrawn",
}


def print_line(label: str, text: str) -> None:
    """Prints one line: a label and a text."""
    print(f"  {label:10} {text}", flush=True)


class Session:
    """A client, an order, and the time since the submit."""

    def __init__(self, client: Client, base_url: str, order_no: str) -> None:
        self.client = client
        self.order_no = order_no
        self.minutes = 0
        self._base_url = base_url

    def wait(self, minutes: int) -> None:
        """Lets time pass until the next query."""
        self.minutes += minutes
        advance_clock(self._base_url, minutes)

    def elapsed(self) -> str:
        """The time since the submit: "5 min", "4 h", "21 days"."""
        if self.minutes == 0:
            return "at once"
        if self.minutes < 120:
            return f"{self.minutes} min"
        hours = self.minutes // 60
        return f"{hours} h" if hours < 48 else f"{hours // 24} days"

    def print_deposit(self, label: str) -> None:
        deposit = self.client.balance().account_balance
        print_line(label, f"{deposit.amount} {deposit.currency} on the deposit")

    def booking(self) -> Reply:
        """Queries the order and prints passenger, flight and price."""
        order = self.client.query_order_details(order_no=self.order_no)
        first = order.routing.from_segments[0]
        print_line(
            "booking",
            f"{order.pax_ticket_infos[0].name} flies {first.dep_airport} to {first.arr_airport}"
            f" on {first.dep_time:%Y-%m-%d} and paid {order.total_price} {order.currency}",
        )
        return order


@dataclass
class Cancellation:
    """A refund or a void: its quotation, its submit with the offer id, and its query."""

    name: str  # "void"
    done: str  # "voided"
    quote: Callable[[], Reply]
    submit: Callable[[], Reply]
    list: Callable[[str | None], list[Record]]
    code_of: Callable[[Record | Reply], str | None]
    state_of: Callable[[Record], int]
    offer_of: Callable[[Record], str | None]
    offer: str  # the offer id of the quote; "" if another client submitted
    pause: int  # minutes between two queries


def submit(session: Session, cancellation: Cancellation) -> int:
    """Submits once, goes on by the outcome, and prints the result."""
    session.print_deposit("before")
    print_line("submit", f"{cancellation.name}, with the offer of that quote")
    end = _submit(session, cancellation)
    session.print_deposit("after")
    results = {DONE: cancellation.done, REFUSED: f"not {cancellation.done}"}
    print_line("the end", results.get(end, "still open: a person looks at it, and nothing is sent twice"))
    return end


def _submit(session: Session, cancellation: Cancellation) -> int:
    try:
        accepted = cancellation.submit()
    except OutcomeUnknown as lost:  # neither success nor failure, so query
        print_line("happened?", f"not known: {lost.message}")
        return _resolve_unknown(session, cancellation)
    except AlreadySubmitted:
        print_line("happened?", "yes, but somebody else was faster")
        cancellation.offer = ""
        return _follow(session, cancellation, None)
    except NotExecuted as refused:
        print_line("happened?", f"no, for certain: {refused.message}")
        print_line("", refused.help)
        return REFUSED
    print_line("happened?", f"yes: {cancellation.name} {cancellation.code_of(accepted)}")
    return _follow(session, cancellation, cancellation.code_of(accepted))


def _find(cancellation: Cancellation, code: str | None) -> Record | None:
    """The refund or void that was submitted with this offer id; None if it is not listed."""
    listed = cancellation.list(code)
    return next((each for each in listed if cancellation.offer in ("", cancellation.offer_of(each))), None)


def _resolve_unknown(session: Session, cancellation: Cancellation) -> int:
    """The reply was lost. It may have been executed: query, and do not submit again."""
    for _ in range(5):
        try:
            if _find(cancellation, None):
                print_line("", f"Found: Atlas has a {cancellation.name} with our offer. It happened, and once.")
                return _follow(session, cancellation, None)
        except AtlasError:
            # Some accounts are listed nothing without the refundCode, which was in the lost reply. Then a new
            # quotation tells: Atlas refuses one for what has been submitted, with one of these codes.
            try:
                cancellation.quote()
            except AtlasError as refused:
                if refused.vendor_status in ALREADY_SUBMITTED:
                    print_line("", f"It happened, and once: Atlas quotes no second {cancellation.name}.")
                    print_line("", "Its number, with which Atlas can be asked, comes by webhook.")
                    return UNRESOLVED
        # Not listed right after a lost reply proves nothing: the request may arrive later.
        session.wait(3)
    return UNRESOLVED


def _follow(session: Session, cancellation: Cancellation, code: str | None) -> int:
    """Queries until the state is final, and prints every change."""
    last = None
    for _ in range(500):
        try:
            found = _find(cancellation, code)
        except AtlasError:
            found = None  # a failed query says nothing about the state; the next one may succeed
        state = cancellation.state_of(found) if found else None
        if state is not None and state != last:
            print_line(session.elapsed(), STATES.get(state, "a status that this program does not know"))
            last = state
        if state in (2, 5):
            return DONE
        if state in (4, 6):
            return REFUSED
        session.wait(cancellation.pause)
    return UNRESOLVED


def run(example: Callable[[Session], int]) -> None:
    """Makes a session from the command line, runs an example and exits with its code."""
    if len(sys.argv) != 3:
        print(f"usage: {sys.argv[0]} BASE_URL ORDER_NO", file=sys.stderr)
        sys.exit(USAGE_ERROR)
    _run(example, *sys.argv[1:])


def run_with_store(example: Callable[[Session], int]) -> None:
    """The same with a store of cases: a file, or the URL of a PostgreSQL database."""
    if len(sys.argv) != 4:
        print(f"usage: {sys.argv[0]} BASE_URL ORDER_NO STORE", file=sys.stderr)
        sys.exit(USAGE_ERROR)
    base_url, order_no, store = sys.argv[1:]
    # The clock is the simulator's, and the follow-up has a budget that no real account has, so that weeks take
    # seconds. A real program leaves both out.
    simulated: dict[str, Any] = {
        "clock": {"url": f"{base_url}/_sim/clock"},
        "follow": {"per_second": 1000, "burst": 1000},
    }
    _run(example, base_url, order_no, store={"url" if "://" in store else "path": store}, **simulated)


def _run(example: Callable[[Session], int], base_url: str, order_no: str, **more: Any) -> None:
    # A real program reads its credentials from a vault; the library reads no environment variables.
    with Client(base_url=base_url, client_id="demo", client_secret="demo", **more) as client:
        try:
            sys.exit(example(Session(client, base_url, order_no)))
        except AtlasError as error:  # of a read or a quote: nothing was submitted
            print_line("", error.message)
            print_line("", error.help)
            sys.exit(REFUSED)
