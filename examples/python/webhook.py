"""A void as a case, brought to its end by Atlas' own notifications: the program sleeps until Atlas calls.

python webhook.py BASE_URL ORDER_NO STORE
"""

import secrets
from http.server import BaseHTTPRequestHandler, HTTPServer

from atlas_postbooking import AtlasError, Client, LibraryError, NotExecuted, OutcomeUnknown, Record
from desk import REFUSED, SETTLED, UNSETTLED, Desk, run_with_store, tell

LARGEST_BODY = 1 << 20


class Handler(BaseHTTPRequestHandler):
    """One request: the body of a POST to our path, which is answered by what the receiver's `take` says of it."""

    server: "Receiver"
    timeout = 2
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            return self._answer(411)
        if int(length) > LARGEST_BODY:
            return self._answer(413)
        body = self.rfile.read(int(length))
        self._answer(self.server.take(body) if self.path == self.server.path else 404)

    def _answer(self, status: int) -> None:
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing: what comes may hold passengers."""


class Receiver(HTTPServer):
    """Receives notifications, one at a time. In front of the internet stands a real web server, which forwards this
    one path."""

    request_queue_size = 16

    def __init__(self, client: Client) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.client = client
        # Nothing signs a notification. An address that nobody can guess keeps most of the others away.
        self.path = f"/atlas/{secrets.token_urlsafe(16)}"
        self.url = f"http://127.0.0.1:{self.server_port}{self.path}"
        self.taken = 0

    def take(self, body: bytes) -> int:
        """Gives a notification to the store. It proves nothing, so it only makes a query due."""
        try:
            told = self.client.case_notify(body=body)
        except LibraryError:
            return 500  # it was not stored, so Atlas may send it again
        except AtlasError:
            return 400  # it will not become better
        tell("webhook", f"{told.type}{', again' if told.duplicate else ': a query is due'}")
        self.taken += 1
        return 200

    def wait(self, seconds: float) -> None:
        """Waits for a notification, and takes it."""
        before, self.timeout = self.taken, seconds
        self.late = False
        while self.taken == before and not self.late:
            self.handle_request()

    def handle_timeout(self) -> None:
        self.late = True

    def handle_error(self, *_: object) -> None:
        """A caller that breaks off is no news."""


def look(desk: Desk, key: str) -> Record:
    """What the store says of the case."""
    case = desk.client.case_get(key=key).case
    assert case is not None
    return case


def open_case(desk: Desk, key: str) -> bool:
    """Opens the case. The same key again, after a crash, is the same case."""
    tell("submit", "a void, as a case")
    try:
        case = desk.client.case_open(kind="void", order_no=desk.order_no, key=key).case
        tell("happened?", f"yes: void {case.code if case else ''}")
    except OutcomeUnknown as lost:  # the case knows that it has to ask
        tell("happened?", f"not known yet: {lost.message}")
    except AtlasError as refused:
        tell("happened?", "no, for certain")
        tell("", refused.message)
        tell("", refused.help)
        return False
    return True


def follow(desk: Desk, key: str, receiver: Receiver) -> int:
    last = None
    # Atlas takes the void, five minutes later the airline has it, and in the evening it is done.
    for pause in (0, 6, 360, 1440, 1440):
        if look(desk, key).final:
            break
        desk.wait(pause)
        receiver.wait(2)
        # With or without a notification: what is due is asked. Notifications may be lost.
        desk.client.case_follow(key=key)
        state = look(desk, key).state
        if state != last:
            tell(desk.when(), state)
            last = state
    case = look(desk, key)
    if not case.final:
        return UNSETTLED
    return SETTLED if case.outcome == "executed" and case.state != "rejected" else REFUSED


def webhook(desk: Desk) -> int:
    desk.booking()
    with Receiver(desk.client) as receiver:
        try:
            desk.client.update_webhook_url(url=receiver.url)
            tell("listen", "Atlas knows where to send its notifications")
        except NotExecuted as no:
            tell("", no.message)
        key = f"void-of-{desk.order_no}"
        desk.tell_deposit("before")
        end = follow(desk, key, receiver) if open_case(desk, key) else REFUSED
        desk.tell_deposit("after")
    words = {SETTLED: "voided", REFUSED: "not voided"}
    tell("the end", words.get(end, "still open: the same command goes on with it"))
    return end


if __name__ == "__main__":
    run_with_store(webhook)
