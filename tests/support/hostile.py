"""A server with faulty answers. Standard library only.

The first part of a path names the fault: a client with the baseUrl http://127.0.0.1:PORT/half-body gets half a body to
every call. `GET /count/half-body` gives the number of whole requests received with that name.
"""

import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable

GOOD = b'{"status":0,"orderNo":"X","voidCode":"202603-0001","voidStatus":0,"requestId":"r-1"}'


def reply(body: bytes = GOOD, status: bytes = b"200 OK", more: bytes = b"", length: bytes | None = None) -> bytes:
    size = str(len(body)).encode() if length is None else length
    head = b"HTTP/1.1 " + status + b"\r\nContent-Type: application/json\r\nContent-Length: " + size
    return head + b"\r\n" + more + b"\r\n" + body


def chunked(*chunks: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(chunks)


# Sent, and then the connection is closed. The request may have been executed before each of them. The beginning of the
# name says which outcome is right: good and there: executed; refused: not executed; all others: unknown.
ANSWERS: dict[str, bytes] = {
    "good": reply(),
    "good-close": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + GOOD,
    "good-chunked": chunked(b"%x\r\n" % len(GOOD) + GOOD + b"\r\n0\r\n\r\n"),
    "good-continue": b"HTTP/1.1 100 Continue\r\n\r\n" + reply(),
    "good-text": reply(more=b"Content-Type: text/html\r\n"),
    "good-bom": reply(b"\xef\xbb\xbf" + GOOD),
    "good-500": reply(status=b"500 Oops"),
    "nothing": b"",
    "half-status-line": b"HTTP/1.1 20",
    "half-head": b"HTTP/1.1 200 OK\r\nContent-Ty",
    "head-only": b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n",
    "half-body": reply(length=b"400"),
    "half-chunk": chunked(b"ff\r\n" + GOOD),
    "no-last-chunk": chunked(b"%x\r\n" % len(GOOD) + GOOD + b"\r\n"),
    "bad-chunk": chunked(b"zz\r\n" + GOOD),
    "not-http": b"220 smtp.example.test ESMTP\r\n",
    "binary": bytes(range(256)) * 4,
    "bad-length": reply(length=b"-5"),
    "two-lengths": reply(more=b"Content-Length: 3\r\n"),
    "huge-head": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2_000_000 + b"\r\n\r\n" + GOOD,
    "many-heads": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000 + b"\r\n" + GOOD,
    "empty": reply(b""),
    "no-content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "created-empty": reply(b"", b"201 Created"),
    "html": reply(b"<html>it works</html>"),
    "null": reply(b"null"),
    "array": reply(b"[" + GOOD + b"]"),
    "text": reply(b'"ok"'),
    "no-status": reply(b'{"msg":"success"}'),
    "null-status": reply(b'{"status":null,"orderNo":"X"}'),
    "true-status": reply(b'{"status":true,"orderNo":"X"}'),
    "float-status": reply(b'{"status":0.5,"orderNo":"X"}'),
    "word-status": reply(b'{"status":"ok","orderNo":"X"}'),
    "unlisted-status": reply(b'{"status":77777,"orderNo":"X"}'),
    "huge-status": reply(b'{"status":99999999999999999999,"orderNo":"X"}'),
    "wrong-order": reply(GOOD.replace(b'"X"', b'"Y"')),
    "half-json": reply(GOOD[:40]),
    "read-bad-utf8": reply(GOOD.replace(b"r-1", b"\xff\xfe")),
    "read-nul-in-text": reply(GOOD.replace(b"r-1", b"a\0b")),
    "deep": reply(b'{"status":0,"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    "bad-gzip": reply(b"\x1f\x8b\x08\0\0\0\0\0\0\xff\0\0", more=b"Content-Encoding: gzip\r\n"),
    "read-not-gzip": reply(more=b"Content-Encoding: gzip\r\n"),
    "strange-coding": reply(b"\0\1\2", more=b"Content-Encoding: rot13\r\n"),
    "redirect": reply(b"", b"302 Found", b"Location: /good/void.do\r\n"),
    "redirect-307": reply(b"", b"307 Temporary Redirect", b"Location: /good/void.do\r\n"),
    "moved": reply(b"", b"301 Moved", b"Location: http://127.0.0.1:1/\r\n"),
    "timeout-408": reply(b"", b"408 Request Timeout"),
    "conflict-409": reply(b"", b"409 Conflict"),
    "error-500": reply(b"<h1>500</h1>", b"500 Oops"),
    "error-503": reply(b"", b"503 Busy", b"Retry-After: 0\r\n"),
    "refused-401": reply(b"", b"401 Unauthorized"),
    "refused-403": reply(b"<h1>WAF</h1>", b"403 Forbidden"),
    "refused-404": reply(b"", b"404 Not Found"),
    "refused-405": reply(b"", b"405 Method Not Allowed"),
    "refused-413": reply(b"", b"413 Too Large"),
    "refused-415": reply(b"", b"415 Unsupported"),
    "refused-429": reply(b"", b"429 Too Many"),
    "refused-801": reply(b'{"status":801,"orderNo":"X"}'),
    "there-816": reply(b'{"status":816,"orderNo":"X"}'),
}


class Hostile:
    """`with Hostile() as server:`; server.url is its address."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "Hostile":
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._guarded, args=(connection,), daemon=True).start()

    def _guarded(self, connection: socket.socket) -> None:
        try:
            self._serve(connection)
        except OSError:
            pass  # The client closed first.
        finally:
            connection.close()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = b""
        while b"\r\n\r\n" not in head:
            got = connection.recv(65536)
            if not got:
                return
            head += got
            name = head.split(b" ", 2)[1].split(b"/")[1].decode() if head.count(b" ") > 1 else ""
            if name == "reset-early":
                return reset(connection)
        head, body = head.split(b"\r\n\r\n", 1)
        path = head.split(b" ", 2)[1].decode()
        _, name, last = path.split("/", 2)
        if name == "count":
            return connection.sendall(reply(json.dumps({"requests": self._counts[last]}).encode()))
        length = next(int(row.split(b":")[1]) for row in head.split(b"\r\n") if row.lower().startswith(b"content-length"))
        while len(body) < length:
            got = connection.recv(65536)
            if not got:
                return
            body += got
        self._counts[name] += 1
        behaviour = BEHAVIOURS.get(name)
        if behaviour:
            behaviour(connection)
        else:
            connection.sendall(ANSWERS[name])
        # Closing with unread bytes would reset the connection, which is another case.
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def stall(connection: socket.socket) -> None:
    connection.recv(1)  # returns when the client gives up


def stall_in_body(connection: socket.socket) -> None:
    connection.sendall(ANSWERS["good"][:-10])
    connection.recv(1)


def reset_in_body(connection: socket.socket) -> None:
    connection.sendall(ANSWERS["good"][:-10])
    reset(connection)


def endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")


def endless_continue(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def byte_by_byte(connection: socket.socket) -> None:
    for byte in ANSWERS["good"]:
        connection.sendall(bytes([byte]))


BEHAVIOURS: dict[str, Callable[[socket.socket], None]] = {
    "reset": reset,
    "stall": stall,
    "stall-in-body": stall_in_body,
    "reset-in-body": reset_in_body,
    "endless": endless,
    "endless-continue": endless_continue,
    "good-byte-by-byte": byte_by_byte,
}

if __name__ == "__main__":
    with Hostile() as server:
        print(json.dumps({"ready": True, "url": server.url, "cases": [*ANSWERS, *BEHAVIOURS, "reset-early"]}), flush=True)
        threading.Event().wait()
