"""A void as a case, followed by the notifications of Atlas: the program sleeps until one arrives.

python webhook.py BASE_URL ORDER_NO STORE
"""

import secrets
from http.server import BaseHTTPRequestHandler, HTTPServer

from atlas_postbooking import AtlasError, Client, LibraryError, NotExecuted, OutcomeUnknown, Record
from example import DONE, REFUSED, UNRESOLVED, Session, print_line, run_with_store

LARGEST_BODY = 1 << 20


class Handler(BaseHTTPRequestHandler):
    """One request: a POST to the path of the receiver, answered with the status that `accept` returns."""

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
        self._answer(self.server.accept(body) if self.path == self.server.path else 404)

    def _answer(self, status: int) -> None:
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Logs nothing: requests may contain personal data."""


class Receiver(HTTPServer):
    """Receives notifications, one at a time. On the internet, put a web server in front of it that forwards this one
    path."""

    request_queue_size = 16

    def __init__(self, client: Client) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.client = client
        # Notifications are unsigned. A path that cannot be guessed keeps most other requests out.
        self.path = f"/atlas/{secrets.token_urlsafe(16)}"
        self.url = f"http://127.0.0.1:{self.server_port}{self.path}"
        self.accepted = 0

    def accept(self, body: bytes) -> int:
        """Passes a notification to the store, which makes a query due; the HTTP status of the answer."""
        try:
            notified = self.client.case_notify(body=body)
        except LibraryError:
            return 500  # it was not stored, so Atlas may send it again
        except AtlasError:
            return 400  # no notification; it would be refused again
        print_line("webhook", f"{notified.type}{', again' if notified.duplicate else ': a query is due'}")
        self.accepted += 1
        return 200

    def wait(self, seconds: float) -> None:
        """Waits until a notification is accepted or none comes in time; answers bad requests meanwhile."""
        previous, self.timeout = self.accepted, seconds
        self.timed_out = False
        while self.accepted == previous and not self.timed_out:
            self.handle_request()

    def handle_timeout(self) -> None:
        self.timed_out = True

    def handle_error(self, *_: object) -> None:
        """Ignores a connection that breaks off."""


def stored_case(session: Session, key: str) -> Record:
    """The case as stored."""
    case = session.client.case_get(key=key).case
    assert case is not None
    return case


def open_case(session: Session, key: str) -> bool:
    """Opens the case. With the same key, after a crash, it is the same case."""
    print_line("submit", "a void, as a case")
    try:
        case = session.client.case_open(kind="void", order_no=session.order_no, key=key).case
        print_line("happened?", f"yes: void {case.code if case else ''}")
    except OutcomeUnknown as lost:  # settled by the queries of follow()
        print_line("happened?", f"not known yet: {lost.message}")
    except AtlasError as refused:
        print_line("happened?", "no, for certain")
        print_line("", refused.message)
        print_line("", refused.help)
        return False
    return True


def follow(session: Session, key: str, receiver: Receiver) -> int:
    last = None
    # Atlas accepts the void, passes it to the airline after five minutes, and completes it after some hours.
    for pause in (0, 6, 360, 1440, 1440):
        if stored_case(session, key).final:
            break
        session.wait(pause)
        receiver.wait(2)
        # Also without a notification, because they may be lost: makes the queries that are due.
        session.client.case_follow(key=key)
        state = stored_case(session, key).state
        if state != last:
            print_line(session.elapsed(), state)
            last = state
    case = stored_case(session, key)
    if not case.final:
        return UNRESOLVED
    return DONE if case.outcome == "executed" and case.state != "rejected" else REFUSED


def webhook(session: Session) -> int:
    session.booking()
    with Receiver(session.client) as receiver:
        try:
            session.client.update_webhook_url(url=receiver.url)
            print_line("listen", "Atlas knows where to send its notifications")
        except NotExecuted as refused:
            print_line("", refused.message)
        key = f"void-of-{session.order_no}"
        session.print_deposit("before")
        end = follow(session, key, receiver) if open_case(session, key) else REFUSED
        session.print_deposit("after")
    results = {DONE: "voided", REFUSED: "not voided"}
    print_line("the end", results.get(end, "still open: the same command goes on with it"))
    return end


if __name__ == "__main__":
    run_with_store(webhook)
