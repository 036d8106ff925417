"""A process that makes calls with one build of the library, so that builds and processes can meet on one store.

    python worker.py c PATH/libatlas_postbooking.so      the C ABI, by ctypes
    python worker.py python DIRECTORY                    the native module of the package in that directory

With a file as third argument, two threads open it, read it and close it all the time, with Python's own SQLite.

Reads lines of JSON, {"config", "operation", "request", "options"}, and answers each with the reply in one line. The
client is kept while the configuration is the same. `Worker` starts one and talks to it. Standard library only.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

Call = Callable[[bytes, bytes, bytes, bytes], bytes]


class Worker:
    """`with Worker("c", path) as worker: worker.call(config, "case.open", {...})`."""

    def __init__(self, face: str, path: Path, looks_at: Path | None = None) -> None:
        command = [sys.executable, __file__, face, str(path), *([str(looks_at)] if looks_at else [])]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def send(self, config: dict[str, Any], operation: str, request: Any, **options: Any) -> None:
        line = {"config": config, "operation": operation, "request": request, "options": options}
        assert self._process.stdin
        self._process.stdin.write(json.dumps(line).encode() + b"\n")
        self._process.stdin.flush()

    def receive(self) -> dict[str, Any] | None:
        """The next reply; None if the process is gone."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        return json.loads(line) if line else None

    def call(self, config: dict[str, Any], operation: str, request: Any, **options: Any) -> dict[str, Any]:
        self.send(config, operation, request, **options)
        reply = self.receive()
        assert reply is not None, f"the process is gone: {operation}"
        return reply

    def signal(self, number: signal.Signals) -> None:
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()


def by_ctypes(path: str) -> Call:
    library = ctypes.CDLL(path)
    library.apb_client_new.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p]
    text, size = ctypes.c_char_p, ctypes.c_size_t
    library.apb_call.argtypes = [ctypes.c_void_p, text, text, size, text, size, ctypes.c_void_p, ctypes.c_void_p]
    library.apb_reply_json.argtypes = [ctypes.c_void_p, ctypes.POINTER(size)]
    library.apb_reply_json.restype = ctypes.c_void_p
    for free in (library.apb_reply_free, library.apb_client_free):
        free.argtypes, free.restype = [ctypes.c_void_p], None
    known: dict[bytes, ctypes.c_void_p] = {}

    def read(reply: ctypes.c_void_p) -> bytes:
        length = size()
        json_text = ctypes.string_at(library.apb_reply_json(reply, ctypes.byref(length)), length.value)
        library.apb_reply_free(reply)
        return json_text

    def call(config: bytes, operation: bytes, request: bytes, options: bytes) -> bytes:
        reply = ctypes.c_void_p()
        if config not in known:
            client = ctypes.c_void_p()
            if library.apb_client_new(config, len(config), ctypes.byref(client), ctypes.byref(reply)) != 0:
                return read(reply)
            known[config] = client
        arguments = operation, request, len(request), options, len(options), None, ctypes.byref(reply)
        library.apb_call(known[config], *arguments)
        return read(reply)

    return call


def by_module(directory: str) -> Call:
    sys.path.insert(0, directory)
    from atlas_postbooking import _native

    known: dict[bytes, Any] = {}

    def call(config: bytes, operation: bytes, request: bytes, options: bytes) -> bytes:
        client = known.get(config) or _native.open(config)
        if isinstance(client, _native.Reply):
            return str(client.json).encode()
        known[config] = client
        return str(client.call(operation, request, options).json).encode()

    return call


def look_at(file: str) -> None:
    while True:
        with suppress(sqlite3.Error), closing(sqlite3.connect(file, timeout=1)) as other:
            other.execute("SELECT count(*) FROM cases").fetchone()


def main() -> None:
    face, path, *files = sys.argv[1:]
    for file in files * 2:
        threading.Thread(target=look_at, args=(file,), daemon=True).start()
    call = {"c": by_ctypes, "python": by_module}[face](path)
    for line in sys.stdin.buffer:
        given = json.loads(line)
        parts = (json.dumps(given[key]).encode() for key in ("config", "request", "options"))
        config, request, options = parts
        sys.stdout.buffer.write(call(config, given["operation"].encode(), request, options).replace(b"\n", b" ") + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
