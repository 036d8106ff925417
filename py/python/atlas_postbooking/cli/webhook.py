"""``webhook serve``: a receiver of notifications, which only makes queries due."""

from __future__ import annotations

import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import click

from . import output
from .session import Session, pass_session

if TYPE_CHECKING:
    from .._client import Client

# Of a body that is refused, what is read and thrown away.
_LARGEST_DISCARDED = 16 << 20
_LARGEST_BODY = 1 << 20


@click.group()
def webhook() -> None:
    """The vendor's notifications."""


@webhook.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8480, show_default=True)
@click.option("--path", "path", metavar="PATH", help="Of the URL; one that cannot be guessed. Also ATLAS_WEBHOOK_PATH.")
@pass_session
def serve(session: Session, host: str, port: int, path: str | None) -> int:
    """Receive notifications until SIGTERM or Ctrl-C, behind a web server that has TLS and forwards this one path.

    They are not signed: one changes no outcome, it makes the cases of its order due. `follow` asks then.
    """
    path = path or os.environ.get("ATLAS_WEBHOOK_PATH")
    if not path or not path.startswith("/") or len(path) < 17:
        raise click.UsageError("give --path or ATLAS_WEBHOOK_PATH: / and at least 16 characters that cannot be guessed")
    server = _Receiver((host, port), session.stored, path)

    def stop(number: int, _: Any) -> None:
        # Not in this thread, which is the one that serves.
        server.ended_by = number
        threading.Thread(target=server.shutdown).start()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    output.note(f"listening on http://{host}:{server.server_port}{path}")
    try:
        server.serve_forever(poll_interval=0.1)
    finally:
        server.server_close()
        for number, handler in before.items():
            signal.signal(number, handler)
    output.note("stopped")
    return output.INTERRUPTED if server.ended_by == signal.SIGINT else output.DONE


class _Receiver(ThreadingHTTPServer):
    # Requests under way are finished before the end.
    daemon_threads = False
    block_on_close = True

    def __init__(self, address: tuple[str, int], client: Client, path: str) -> None:
        super().__init__(address, _Handler)
        self.client, self.path, self.ended_by = client, path, 0

    def accept(self, body: bytes) -> int:
        """Passes a notification to the store; the HTTP status of the answer."""
        from .._errors import AtlasError, LibraryError

        try:
            noted = self.client.case_notify(body=body)
        except LibraryError as fault:
            output.note(f"not stored: {fault.message}")
            return 500  # It was not stored, so Atlas may send it again.
        except AtlasError:
            return 400
        count = len(noted.cases or [])
        output.say(f"{noted.type}{', again' if noted.duplicate else ''}: {count} case{'' if count == 1 else 's'} due")
        sys.stdout.flush()
        return 200

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks off is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Receiver  # pyright: ignore[reportIncompatibleVariableOverride]
    timeout = 10
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self.path != self.server.path:
            return self._refuse(404, length)
        if not length.isdigit():
            return self._answer(411)
        if int(length) > _LARGEST_BODY:
            return self._refuse(413, length)
        self._answer(self.server.accept(self.rfile.read(int(length))))

    def _refuse(self, status: int, length: str) -> None:
        """Answers after the body came: closed with a part unread, the connection would be reset, and the answer lost."""
        left = min(int(length), _LARGEST_DISCARDED) if length.isdigit() else 0
        while left > 0 and (part := self.rfile.read(min(left, 1 << 16))):
            left -= len(part)
        self._answer(status)

    def _answer(self, status: int) -> None:
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: requests may have personal data."""
