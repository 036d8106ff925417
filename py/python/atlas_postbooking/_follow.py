"""Iterators over the progress of cases, one ``case.follow`` a step; the caller may stop after any of them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .replies import CaseFollowReply

if TYPE_CHECKING:
    from ._types import AsyncCaller, Caller, Options


class _Steps:
    def __init__(
        self,
        case: Mapping[str, str | None],
        timeout_ms: int | None,
        every_ms: int,
        options: Options | None,
    ) -> None:
        named = {name: value for name, value in case.items() if value is not None}
        self._case: dict[str, Any] = named or {"all": True}
        self._deadline = None if timeout_ms is None else time.monotonic() + timeout_ms / 1000
        self._every_ms = every_ms
        self._options = options
        self._started = False
        self._done = False

    def _request(self) -> dict[str, Any] | None:
        """The request of the next step; None at the end. Waiting is left to the core; the first step does not wait."""
        left_ms = None if self._deadline is None else max(0, round((self._deadline - time.monotonic()) * 1000))
        if self._done or (self._started and left_ms == 0):
            return None
        wait_ms = 0 if not self._started else self._every_ms if left_ms is None else min(self._every_ms, left_ms)
        self._started = True
        return {**self._case, **({"until": "final", "timeoutMs": wait_ms} if wait_ms else {"until": "step"})}

    def _record_progress(self, progress: Any) -> CaseFollowReply:
        self._done = progress["open"] == 0
        reply: CaseFollowReply = progress
        return reply


class Follow(_Steps, Iterator[CaseFollowReply]):
    """An iterator over replies with ``done``, ``due``, ``open``, ``next_due_at``, ``budget`` and ``case``."""

    def __init__(self, client: Caller, *rest: Any) -> None:
        super().__init__(*rest)
        self._client = client

    def __next__(self) -> CaseFollowReply:
        request = self._request()
        if request is None:
            raise StopIteration
        return self._record_progress(self._client.call("case.follow", request, self._options))


class AsyncFollow(_Steps, AsyncIterator[CaseFollowReply]):
    """An iterator over replies with ``done``, ``due``, ``open``, ``next_due_at``, ``budget`` and ``case``."""

    def __init__(self, client: AsyncCaller, *rest: Any) -> None:
        super().__init__(*rest)
        self._client = client

    async def __anext__(self) -> CaseFollowReply:
        request = self._request()
        if request is None:
            raise StopAsyncIteration
        return self._record_progress(await self._client.call("case.follow", request, self._options))
