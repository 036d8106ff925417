"""Calls on an event loop: started without waiting, and finished when the loop sees the queue's descriptor readable.

No thread and no executor: a loop has one queue for all its clients, made by its first call.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from . import _native

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future

#: How long a cancelled call is waited for, to learn its outcome, in seconds. It takes some milliseconds.
_PATIENCE = 0.1


class Calls:
    """The calls of one loop that have not ended."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._queue = _native.Queue()
        self._waiting: dict[int, Future[_native.Reply]] = {}
        self._last_tag = 0
        # The loop keeps this object through its reader; this object does not keep the loop.
        loop.add_reader(self._queue.fd, self._take)

    @property
    def is_usable(self) -> bool:
        return self._queue.is_usable

    def _take(self) -> None:
        while (item := self._queue.next()) is not None:
            future = self._waiting.pop(item[0], None)
            if future is not None and not future.done():
                future.set_result(item[1])

    async def call(
        self, loop: AbstractEventLoop, client: _native.Client, operation: bytes, request: bytes, options: bytes
    ) -> _native.Reply:
        """The reply. Cancelled, the exception has it as ``_atlas_reply`` if the call ended in time."""
        self._last_tag += 1
        tag, token = self._last_tag, _native.Cancel()
        future: Future[_native.Reply] = loop.create_future()
        self._waiting[tag] = future
        try:
            self._queue.start(client, operation, request, options, tag, token)
            return await future
        except asyncio.CancelledError as cancelled:
            token.set()
            # Whether the request had left is known only when the call has ended.
            source = future.result() if future.done() and not future.cancelled() else await self._last_word(loop, tag)
            if source is not None:
                cancelled._atlas_reply = source  # type: ignore[attr-defined]
            raise
        finally:
            # A future that nobody awaits any more would keep its loop, and with it this object, for ever.
            self._waiting.pop(tag, None)

    async def _last_word(self, loop: AbstractEventLoop, tag: int) -> _native.Reply | None:
        future: Future[_native.Reply] = loop.create_future()
        self._waiting[tag] = future
        try:
            await asyncio.wait([future], timeout=_PATIENCE)
        except asyncio.CancelledError:
            pass  # Cancelled again: the first exception says what is known.
        return future.result() if future.done() and not future.cancelled() else None


_CALLS: WeakKeyDictionary[AbstractEventLoop, Calls] = WeakKeyDictionary()


async def call(client: _native.Client, operation: bytes, request: bytes, options: bytes) -> _native.Reply:
    """Calls an operation on the running loop."""
    loop = asyncio.get_running_loop()
    calls = _CALLS.get(loop)
    if calls is None or not calls.is_usable:
        calls = _CALLS[loop] = Calls(loop)
    return await calls.call(loop, client, operation, request, options)
