"""Opening many cases at once on an event loop, at the pace that the vendor allows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ._errors import AtlasError
from ._many import CaseVerdict, Pace, Progress, failed, ignore, keys_of

if TYPE_CHECKING:
    from ._async_operations import AsyncOperations
    from ._types import Options
    from .requests import CaseOpenRequest


class AsyncOpenMany:
    """One call of :meth:`AsyncCases.open_many`: a task for each request, and places for those that are opened."""

    def __init__(
        self,
        client: AsyncOperations,
        requests: Sequence[CaseOpenRequest],
        progress: Callable[[Progress], None] | None,
        concurrency: int,
        timeout_ms: int | None,
        options: Options | None,
    ) -> None:
        self._client = client
        self._requests = requests
        self._keys = keys_of(requests)
        self._report = progress or ignore
        self._places = asyncio.Semaphore(max(1, concurrency))
        self._pace = Pace(timeout_ms)
        self._options = options
        self._verdicts: dict[int, CaseVerdict] = {}
        self._under_way: set[asyncio.Task[CaseVerdict]] = set()

    async def run(self) -> list[CaseVerdict]:
        tasks = [asyncio.ensure_future(self._settle(index)) for index in range(len(self._requests))]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            # The submits under way are waited for: one that is cancelled after it left would stay unknown.
            while self._under_way:
                await asyncio.wait(self._under_way)
            await asyncio.gather(*tasks, return_exceptions=True)
        return [self._verdicts[index] for index in range(len(self._requests))]

    async def _settle(self, index: int) -> None:
        attempts = 0
        while True:
            async with self._places:
                while (left := self._pace.not_before - time.monotonic()) > 0:
                    await asyncio.sleep(left)
                attempts += 1
                opening = asyncio.ensure_future(self._open(index, attempts))
                self._under_way.add(opening)
                opening.add_done_callback(self._under_way.discard)
                # A cancellation ends this task, not the submit.
                verdict = await asyncio.shield(opening)
            pause = self._pace.pause(verdict)
            if pause is None:
                self._verdicts[index] = verdict
                self._report(Progress(len(self._verdicts), len(self._requests), verdict))
                return
            if self._pace.extend(pause):
                self._report(Progress(len(self._verdicts), len(self._requests), None, round(pause * 1000)))
            await asyncio.sleep(pause)

    async def _open(self, index: int, attempts: int) -> CaseVerdict:
        key = self._keys[index]
        try:
            reply = await self._client.case_open(self._requests[index], options=self._options)
        except AtlasError as error:
            return failed(index, key, error, attempts)
        return CaseVerdict(index, key, reply.outcome, reply.case, None, attempts)
