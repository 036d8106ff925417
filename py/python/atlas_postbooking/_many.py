"""Opening many cases at once, at the pace that the vendor allows."""

from __future__ import annotations

import heapq
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ._errors import AtlasError, CasePending, RateLimited, bad_request
from ._reply import Outcome

if TYPE_CHECKING:
    from ._operations import Operations
    from ._types import Options
    from .replies import Case
    from .requests import CaseOpenRequest

#: The pause after a refusal "for now" that names none, in seconds; doubled per refusal in a row.
_PAUSE = 1.0
_LONGEST_PAUSE = 60.0


@dataclass(frozen=True)
class CaseVerdict:
    """What became of one request of :meth:`Cases.open_many`."""

    #: Its place in the sequence of requests, from 0.
    index: int
    #: The key of its case.
    key: str
    #: Whether it happened, as the case says; of a request that was refused before there was a case, not executed.
    outcome: Outcome
    #: The case; None if there is none, for example of a bad request.
    case: Case | None = field(default=None, repr=False)
    #: Why the call failed; None if it did not.
    error: AtlasError | None = field(default=None, repr=False)
    #: How many times it was opened by this call.
    attempts: int = 1


@dataclass(frozen=True)
class Progress:
    """How far :meth:`Cases.open_many` is."""

    done: int
    total: int
    #: The verdict that was given now; None before a pause.
    verdict: CaseVerdict | None
    #: How long nothing is opened, because the vendor wants a pause.
    pause_ms: int = 0


class Pace:
    """For how long what the vendor refused only for now waits."""

    def __init__(self, timeout_ms: int | None) -> None:
        self._end = None if timeout_ms is None else time.monotonic() + timeout_ms / 1000
        self._refused_in_a_row = 0
        #: Before this moment of ``time.monotonic()`` nothing is opened.
        self.not_before = 0.0

    def pause(self, verdict: CaseVerdict) -> float | None:
        """For how many seconds this one waits before its next attempt; None if the verdict stands."""
        error = verdict.error
        if not isinstance(error, (CasePending, RateLimited)) or error.advice != "wait":
            self._refused_in_a_row = 0
            return None
        self._refused_in_a_row += 1
        given = error.retry_after_ms
        fallback = min(_PAUSE * 2 ** min(self._refused_in_a_row - 1, 10), _LONGEST_PAUSE)
        pause = fallback if given is None else given / 1000
        if self._end is not None and time.monotonic() + pause >= self._end:
            return None
        return pause

    def extend(self, pause: float) -> bool:
        """Nothing is opened for so many seconds; whether that is later than before."""
        until = time.monotonic() + pause
        is_later = until > self.not_before
        self.not_before = max(until, self.not_before)
        return is_later


class OpenMany:
    """One call of :meth:`Cases.open_many`: a heap of what is to be opened, and threads that open."""

    def __init__(
        self,
        client: Operations,
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
        self._threads = max(1, min(concurrency, len(requests)))
        self._pace = Pace(timeout_ms)
        self._options = options
        self._verdicts: dict[int, CaseVerdict] = {}
        # (when it may be opened, its place, attempts so far)
        self._waiting = [(0.0, index, 0) for index in range(len(requests))]
        self._in_flight = 0

    def run(self) -> list[CaseVerdict]:
        work: queue.SimpleQueue[tuple[int, int] | None] = queue.SimpleQueue()
        answers: queue.SimpleQueue[CaseVerdict | BaseException] = queue.SimpleQueue()
        threads = [
            threading.Thread(target=self._work, args=(work, answers), name="atlas-open-many", daemon=True)
            for _ in range(self._threads)
        ]
        for thread in threads:
            thread.start()
        try:
            while len(self._verdicts) < len(self._requests):
                self._hand_out(work)
                if self._in_flight or self._waiting:
                    self._take(answers)
        finally:
            # The submits under way are waited for: a thread that dies with the process would leave them unknown.
            for _ in threads:
                work.put(None)
            for thread in threads:
                thread.join()
        return [self._verdicts[index] for index in range(len(self._requests))]

    def _hand_out(self, work: queue.SimpleQueue[tuple[int, int] | None]) -> None:
        while self._waiting and self._in_flight < self._threads:
            due, index, attempts = self._waiting[0]
            if max(due, self._pace.not_before) > time.monotonic():
                return
            heapq.heappop(self._waiting)
            self._in_flight += 1
            work.put((index, attempts + 1))

    def _take(self, answers: queue.SimpleQueue[CaseVerdict | BaseException]) -> None:
        """Waits for an answer, at most until the next request is due."""
        wait = None
        if self._waiting and self._in_flight < self._threads:
            wait = max(0.0, max(self._waiting[0][0], self._pace.not_before) - time.monotonic())
        try:
            answer = answers.get(timeout=wait)
        except queue.Empty:
            return
        self._in_flight -= 1
        if isinstance(answer, BaseException):
            raise answer
        pause = self._pace.pause(answer)
        if pause is None:
            self._verdicts[answer.index] = answer
            self._report(Progress(len(self._verdicts), len(self._requests), answer))
            return
        heapq.heappush(self._waiting, (time.monotonic() + pause, answer.index, answer.attempts))
        if self._pace.extend(pause):
            self._report(Progress(len(self._verdicts), len(self._requests), None, round(pause * 1000)))

    def _work(
        self, work: queue.SimpleQueue[tuple[int, int] | None], answers: queue.SimpleQueue[CaseVerdict | BaseException]
    ) -> None:
        while (item := work.get()) is not None:
            try:
                answers.put(self._open(*item))
            except BaseException as fault:
                answers.put(fault)

    def _open(self, index: int, attempts: int) -> CaseVerdict:
        key = self._keys[index]
        try:
            reply = self._client.case_open(self._requests[index], options=self._options)
        except AtlasError as error:
            return failed(index, key, error, attempts)
        return CaseVerdict(index, key, reply.outcome, reply.case, None, attempts)


def failed(index: int, key: str, error: AtlasError, attempts: int) -> CaseVerdict:
    """The verdict of a call that raised. Of a conflict the case may be another one: that which is in the way."""
    case = None if error.reply is None else error.reply.case
    return CaseVerdict(index, key, error.outcome, case, error, attempts)


def ignore(_: Progress) -> None:
    pass


def keys_of(requests: Sequence[CaseOpenRequest]) -> list[str]:
    """The keys of the requests; a missing one, and one that stands twice, would make a double or hide a request."""
    first: dict[str, int] = {}
    for index, request in enumerate(requests):
        key = request.get("key")
        if not isinstance(key, str) or not key:
            raise bad_request(f"request {index} has no key", f"/{index}/key")
        if key in first:
            raise bad_request(f"requests {first[key]} and {index} have the same key", f"/{index}/key")
        first[key] = index
    return list(first)
