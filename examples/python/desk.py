"""What the example programs share: a client, the story, and how a matter is followed to its end."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from atlas_postbooking import AlreadySubmitted, AtlasError, Client, NotExecuted, OutcomeUnknown, Record, Reply
from stage import pass_time

# How a program ends. UNSETTLED is for a person to look at: it is neither success nor failure.
SETTLED, REFUSED, MISUSED, UNSETTLED = range(4)

# What Atlas answers to a quotation when the matter has been submitted before.
ALREADY_THERE = {803, 814, 816, 817, 818}

STATES = {
    0: "Atlas is working on it",
    1: "the airline is working on it",
    2: "done",
    3: "the airline is paying it",
    4: "rejected",
    5: "done, by card",
    6: "withdrawn",
}


def tell(label: str, text: str) -> None:
    """A line of the story."""
    print(f"  {label:10} {text}", flush=True)


class Desk:
    """A client, an order, and the minutes since something was submitted."""

    def __init__(self, client: Client, base_url: str, order_no: str) -> None:
        self.client = client
        self.order_no = order_no
        self.minutes = 0
        self._base_url = base_url

    def wait(self, minutes: int) -> None:
        self.minutes += minutes
        pass_time(self._base_url, minutes)

    def when(self) -> str:
        if self.minutes == 0:
            return "at once"
        if self.minutes < 120:
            return f"{self.minutes} min"
        hours = self.minutes // 60
        return f"{hours} h" if hours < 48 else f"{hours // 24} days"

    def tell_deposit(self, label: str) -> None:
        deposit = self.client.balance().account_balance
        tell(label, f"{deposit.amount} {deposit.currency} on the deposit")

    def booking(self) -> Reply:
        order = self.client.query_order_details(order_no=self.order_no)
        first = order.routing.from_segments[0]
        tell(
            "booking",
            f"{order.pax_ticket_infos[0].name} flies {first.dep_airport} to {first.arr_airport}"
            f" on {first.dep_time:%Y-%m-%d} and paid {order.total_price} {order.currency}",
        )
        return order


@dataclass
class Matter:
    """A refund or a void: how it is called, and how it is quoted, submitted (with its offer) and listed."""

    name: str
    done: str
    quote: Callable[[], Reply]
    submit: Callable[[], Reply]
    list: Callable[[str | None], list[Record]]
    code_of: Callable[[Record | Reply], str | None]
    state_of: Callable[[Record], int]
    offer_of: Callable[[Record], str | None]
    offer: str
    pause: int


def submit(desk: Desk, matter: Matter) -> int:
    """Submits, once, looks at what came of it, and follows it."""
    desk.tell_deposit("before")
    tell("submit", f"{matter.name}, with the offer of that quote")
    end = _submit(desk, matter)
    desk.tell_deposit("after")
    words = {SETTLED: matter.done, REFUSED: f"not {matter.done}"}
    tell("the end", words.get(end, "still open: a person looks at it, and nothing is sent twice"))
    return end


def _submit(desk: Desk, matter: Matter) -> int:
    try:
        accepted = matter.submit()
    except OutcomeUnknown as lost:  # neither a success nor a failure, so ask
        tell("happened?", f"not known: {lost.message}")
        return _settle(desk, matter)
    except AlreadySubmitted:
        tell("happened?", "yes, but somebody else was faster")
        matter.offer = ""
        return _follow(desk, matter, None)
    except NotExecuted as refused:
        tell("happened?", f"no, for certain: {refused.message}")
        tell("", refused.help)
        return REFUSED
    tell("happened?", f"yes: {matter.name} {matter.code_of(accepted)}")
    return _follow(desk, matter, matter.code_of(accepted))


def _find(matter: Matter, code: str | None) -> Record | None:
    """The matter that was submitted with our offer."""
    listed = matter.list(code)
    return next((one for one in listed if matter.offer in ("", matter.offer_of(one))), None)


def _settle(desk: Desk, matter: Matter) -> int:
    """The answer to the submit was lost. The matter may exist: look for it, and never submit again."""
    for _ in range(5):
        try:
            if _find(matter, None):
                tell("", f"Found: Atlas has a {matter.name} with our offer. It happened, and once.")
                return _follow(desk, matter, None)
        except AtlasError:
            # Some accounts are listed nothing without the code that was in the lost answer. But Atlas gives no
            # new quote for what has been submitted, and says so.
            try:
                matter.quote()
            except AtlasError as refused:
                if refused.vendor_status in ALREADY_THERE:
                    tell("", f"It happened, and once: Atlas quotes no second {matter.name}.")
                    tell("", "Its number, with which Atlas can be asked, comes by webhook.")
                    return UNSETTLED
        # "Not there" right after a lost answer proves nothing: it may still be on its way.
        desk.wait(3)
    return UNSETTLED


def _follow(desk: Desk, matter: Matter, code: str | None) -> int:
    """Asks until Atlas says something final, and tells every change."""
    last = None
    for _ in range(500):
        try:
            found = _find(matter, code)
        except AtlasError:
            found = None  # a query that failed says nothing about the matter; the next one will
        state = matter.state_of(found) if found else None
        if state is not None and state != last:
            tell(desk.when(), STATES.get(state, "a status that this program does not know"))
            last = state
        if state in (2, 5):
            return SETTLED
        if state in (4, 6):
            return REFUSED
        desk.wait(matter.pause)
    return UNSETTLED


def run(story: Callable[[Desk], int]) -> None:
    """Opens a desk from the command line, runs a story and exits with its end."""
    if len(sys.argv) != 3:
        print(f"usage: {sys.argv[0]} BASE_URL ORDER_NO", file=sys.stderr)
        sys.exit(MISUSED)
    _play(story, *sys.argv[1:])


def run_with_store(story: Callable[[Desk], int]) -> None:
    """The same with a store of cases, a file."""
    if len(sys.argv) != 4:
        print(f"usage: {sys.argv[0]} BASE_URL ORDER_NO STORE", file=sys.stderr)
        sys.exit(MISUSED)
    base_url, order_no, store = sys.argv[1:]
    # Weeks pass in a moment here: by the simulated clock, and with a follow-up that asks faster than one should. A
    # real program leaves both out.
    in_a_moment: dict[str, Any] = {
        "clock": {"url": f"{base_url}/_sim/clock"},
        "follow": {"per_second": 1000, "burst": 1000},
    }
    _play(story, base_url, order_no, store={"path": store}, **in_a_moment)


def _play(story: Callable[[Desk], int], base_url: str, order_no: str, **more: Any) -> None:
    # The credentials of a real program come from its own vault; the library reads no environment.
    with Client(base_url=base_url, client_id="demo", client_secret="demo", **more) as client:
        try:
            sys.exit(story(Desk(client, base_url, order_no)))
        except AtlasError as error:  # a read or a quote that did not succeed: nothing has been submitted
            tell("", error.message)
            tell("", error.help)
            sys.exit(REFUSED)
