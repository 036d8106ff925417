"""``client.cases`` of an AsyncClient."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._cases import CasePages
from ._follow import AsyncFollow

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._many import CaseVerdict, Progress
    from ._async_operations import AsyncOperations
    from ._literals import AnyCaseKind, CaseOutcome, CaseState, Verdict
    from ._types import Options
    from .replies import Case, CaseReply
    from .requests import CaseOpenRequest


class AsyncCaseList(CasePages, AsyncIterator["Case"]):
    """An asynchronous iterator over cases, read page by page; otherwise as :class:`CaseList`."""

    def __init__(self, client: AsyncOperations, filters: Mapping[str, Any], options: Options | None) -> None:
        super().__init__(filters, options)
        self._client = client

    async def __anext__(self) -> Case:
        while not self._ready:
            if self._done:
                raise StopAsyncIteration
            self._take(await self._client.case_list(self._request, options=self._options))
        return self._ready.popleft()


class AsyncCases:
    """The cases of a client. Each of these needs a store, and has an older name that stays (``client.case_open`` …)."""

    def __init__(self, client: AsyncOperations) -> None:
        self._client = client

    async def open(self, *, options: Options | None = None, **request: Unpack[CaseOpenRequest]) -> CaseReply:
        """Starts a case, or resumes the one with this key; the keywords of :meth:`AsyncClient.case_open`.

        Raises OutcomeUnknown if the submit may have been executed; the same call with the same key continues it.
        """
        return await self._client.case_open(request, options=options)

    async def open_many(
        self,
        requests: Sequence[CaseOpenRequest],
        *,
        progress: Callable[[Progress], None] | None = None,
        concurrency: int = 4,
        timeout_ms: int | None = None,
        options: Options | None = None,
    ) -> list[CaseVerdict]:
        """Opens many cases; gives a verdict for each, in the order of the requests.

        What the vendor refuses only for now (429, 905) is opened again when its pause is over, until ``timeout_ms``.
        The same call with the same keys resumes one that was interrupted or killed: what was submitted is asked
        about and not submitted again. Nothing is followed: a case that is unknown here is settled by
        :meth:`follow`.

        An exception of ``progress``, and a cancellation, end the call after the submits under way; what is not opened stays
        not opened.

        Args:
            requests: The requests of :meth:`open` as mappings; each has its ``key``.
            progress: Called after each verdict, and before a pause.
            concurrency: How many are opened at once.
            timeout_ms: After this time no further attempt is made; None for no limit.
            options: Options of each call.
        """
        # Most programs do not need it.
        from ._async_many import AsyncOpenMany

        return await AsyncOpenMany(self._client, requests, progress, concurrency, timeout_ms, options).run()

    async def get(self, key: str | None = None, *, id: str | None = None, options: Options | None = None) -> Case:
        """The case with this key or id, as the store has it, without network."""
        return (await self._client.case_get(key=key, id=id, options=options)).case

    def list(
        self,
        *,
        open: bool | None = None,
        order_no: str | None = None,
        kind: AnyCaseKind | None = None,
        outcome: CaseOutcome | None = None,
        state: CaseState | None = None,
        changed_since: int | None = None,
        limit: int | None = None,
        options: Options | None = None,
    ) -> AsyncCaseList:
        """Iterates (``async for``) over the cases of this account, oldest first, without network.

        Args:
            open: Only open ones (True) or only final ones (False).
            order_no: Of this order.
            kind: Of this kind.
            outcome: Only with this outcome.
            state: Only in this state.
            changed_since: Changed since this number; ``next_change`` of the list read before, or 0.
            limit: Cases on one page, at most 500.
            options: Options of each call.
        """
        filters = {
            "open": open, "order_no": order_no, "kind": kind, "outcome": outcome, "state": state,
            "changed_since": changed_since, "limit": limit,
        }  # fmt: skip
        return AsyncCaseList(self._client, filters, options)

    def follow(
        self,
        key: str | None = None,
        *,
        id: str | None = None,
        timeout_ms: int | None = None,
        every_ms: int = 1000,
        options: Options | None = None,
    ) -> AsyncFollow:
        """Follows a case, or all open ones; as :meth:`AsyncClient.follow`."""
        return AsyncFollow(self._client, {"id": id, "key": key}, timeout_ms, every_ms, options)

    async def reconcile(self, key: str | None = None, *, id: str | None = None, options: Options | None = None) -> CaseReply:
        """Asks the vendor now what became of a case; without key and id, of all whose outcome is unknown."""
        every = True if key is None and id is None else None
        return await self._client.case_reconcile(key=key, id=id, all=every, options=options)

    async def resolve(
        self,
        key: str | None = None,
        *,
        id: str | None = None,
        as_: Verdict,
        by: str,
        evidence: str | Mapping[str, Any],
        options: Options | None = None,
    ) -> Case:
        """Settles a case by a person's verdict: ``as_`` is executed or not_executed, ``by`` a name, ``evidence`` a text
        or ``{"text": …, "code": …}`` with the vendor's refundCode, voidCode or new order number."""
        if id is None:
            id = (await self.get(key, options=options)).id
        return (await self._client.case_resolve(id=id, as_=as_, by=by, evidence=evidence, options=options)).case

    async def export(
        self,
        *,
        open: bool | None = None,
        order_no: str | None = None,
        kind: AnyCaseKind | None = None,
        options: Options | None = None,
    ) -> AsyncIterator[dict[str, Any]]:
        """Iterates (``async for``) over the rows of an export, as plain data without passengers: amounts and times are text."""
        after: str | None = None
        while True:
            page = await self._client.case_export(open=open, order_no=order_no, kind=kind, after=after, options=options)
            for line in (page.ndjson or "").splitlines():
                yield json.loads(line)
            after = page.next
            if after is None:
                return
