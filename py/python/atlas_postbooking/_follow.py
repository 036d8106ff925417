"""Following cases step by step, for a program that wants to see how far it is, or to stop on the way."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ._reply import Reply

if TYPE_CHECKING:
    from ._client import AsyncClient, Client


class _Steps:
    def __init__(
        self,
        case: Mapping[str, str | None],
        timeout_ms: int | None,
        every_ms: int,
        options: Mapping[str, Any] | None,
    ) -> None:
        named = {name: value for name, value in case.items() if value is not None}
        self._case: dict[str, Any] = named or {"all": True}
        self._until = None if timeout_ms is None else time.monotonic() + timeout_ms / 1000
        self._every_ms = every_ms
        self._options = options
        self._started = False
        self._done = False

    def _request(self) -> dict[str, Any] | None:
        """The request of the next step; None at the end. The core does the waiting, but not in the first step."""
        left = None if self._until is None else max(0, round((self._until - time.monotonic()) * 1000))
        if self._done or (self._started and left == 0):
            return None
        wait = 0 if not self._started else self._every_ms if left is None else min(self._every_ms, left)
        self._started = True
        return {**self._case, **({"until": "final", "timeoutMs": wait} if wait else {"until": "step"})}

    def _take(self, progress: Reply) -> Reply:
        self._done = progress["open"] == 0
        return progress


class Follow(_Steps, Iterator[Reply]):
    """An iterator over how far it is: ``done``, ``due``, ``open``, ``next_due_at``, ``budget``."""

    def __init__(self, client: Client, *rest: Any) -> None:
        super().__init__(*rest)
        self._client = client

    def __next__(self) -> Reply:
        request = self._request()
        if request is None:
            raise StopIteration
        return self._take(self._client.call("case.follow", request, self._options))


class AsyncFollow(_Steps, AsyncIterator[Reply]):
    """An iterator over how far it is: ``done``, ``due``, ``open``, ``next_due_at``, ``budget``."""

    def __init__(self, client: AsyncClient, *rest: Any) -> None:
        super().__init__(*rest)
        self._client = client

    async def __anext__(self) -> Reply:
        request = self._request()
        if request is None:
            raise StopAsyncIteration
        return self._take(await self._client.call("case.follow", request, self._options))
