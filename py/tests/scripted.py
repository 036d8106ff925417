"""An HTTP server that sends exactly the bytes that a test scripts."""

from __future__ import annotations

import json
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Request:
    """A request that arrived."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def answer(body: Any, status: int = 200, headers: str = "") -> bytes:
    """A complete HTTP response."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n{headers}\r\n"
    return head.encode() + content


#: Bytes to send, after which the connection stays open; None to close it at once; or a function that handles the
#: socket itself.
Step = bytes | None | Callable[[socket.socket], None]


class Server:
    """Answers each request with the next step of the script; with HTTP 500 when the script is at its end."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.arrived = threading.Condition()
        self._script: deque[Step] = deque()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.release = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        self._listener.close()
        for each in self._sockets:
            each.close()

    def then(self, *bodies: Any, **rest: Any) -> Server:
        """Adds steps; dicts and lists become JSON responses."""
        for body in bodies:
            step = answer(body, **rest) if isinstance(body, (dict, list)) else body
            self._script.append(step)
        return self

    def hang(self) -> Server:
        """Adds a step that does not answer, and closes the connection when ``release`` is set."""

        def wait(peer: socket.socket) -> None:
            self.release.wait(60)
            peer.shutdown(socket.SHUT_RDWR)

        return self.then(wait)

    def wait_for(self, count: int) -> None:
        """Waits until that many requests have arrived."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.requests) >= count, 30), "no request arrived"

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(peer)
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        try:
            with peer, peer.makefile("rb") as stream:
                while line := stream.readline():
                    path = line.split()[1].decode()
                    headers = {}
                    while (header := stream.readline()) not in (b"\r\n", b""):
                        name, _, value = header.decode().partition(":")
                        headers[name.lower()] = value.strip()
                    body = stream.read(int(headers.get("content-length", "0")))
                    with self.arrived:
                        self.requests.append(Request(path, headers, body))
                        step = self._script.popleft() if self._script else answer({"status": -1}, 500)
                        self.arrived.notify_all()
                    if step is None:
                        return
                    if callable(step):
                        step(peer)
                    else:
                        peer.sendall(step)
        except OSError:
            pass
