"""``client.cases``: the cases of a store, page after page, one by one and many at once."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._follow import Follow

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._operations import Operations
    from ._many import CaseVerdict, Progress
    from ._literals import AnyCaseKind, CaseOutcome, CaseState, Verdict
    from ._types import Options
    from .replies import Case, CaseListReply, CaseReply
    from .requests import CaseOpenRequest

#: The core's largest ``limit``.
_PAGE = 500


class CasePages:
    """What both lists of cases share: the request of the next page, and what was read of it."""

    #: With ``changed_since``: the number to give as ``changed_since`` when the list is read next; else None.
    next_change: int | None = None

    def __init__(self, filters: Mapping[str, Any], options: Options | None) -> None:
        self._request = {name: value for name, value in filters.items() if value is not None}
        self._limit: int = self._request.setdefault("limit", _PAGE)
        self._by_change = "changed_since" in self._request
        self._options = options
        self._ready: deque[Case] = deque()
        self._done = False

    def _take(self, page: CaseListReply) -> None:
        cases = page.cases or []
        self._ready.extend(cases)
        following = page.next
        if self._by_change:
            self.next_change = int(following or 0)
            self._request["changed_since"] = self.next_change
            self._done = len(cases) < self._limit
        else:
            self._request["after"] = following
            self._done = following is None


class CaseList(CasePages, Iterator["Case"]):
    """An iterator over cases, read page by page. After an exception it can be continued: the same page is read again.

    With ``changed_since`` the cases come in the order of their last change, and one that changes while the list is
    read comes again.
    """

    def __init__(self, client: Operations, filters: Mapping[str, Any], options: Options | None) -> None:
        super().__init__(filters, options)
        self._client = client

    def __next__(self) -> Case:
        while not self._ready:
            if self._done:
                raise StopIteration
            self._take(self._client.case_list(self._request, options=self._options))
        return self._ready.popleft()


class Cases:
    """The cases of a client. Each of these needs a store, and has an older name that stays (``client.case_open`` …)."""

    def __init__(self, client: Operations) -> None:
        self._client = client

    def open(self, *, options: Options | None = None, **request: Unpack[CaseOpenRequest]) -> CaseReply:
        """Starts a case, or resumes the one with this key; the keywords of :meth:`Client.case_open`.

        Raises OutcomeUnknown if the submit may have been executed; the same call with the same key continues it.
        """
        return self._client.case_open(request, options=options)

    def open_many(
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

        An exception of ``progress``, and Ctrl-C, end the call after the submits under way; what is not opened stays
        not opened.

        Args:
            requests: The requests of :meth:`open` as mappings; each has its ``key``.
            progress: Called in this thread after each verdict, and before a pause.
            concurrency: How many are opened at once.
            timeout_ms: After this time no further attempt is made; None for no limit.
            options: Options of each call.
        """
        # Most programs do not need it.
        from ._many import OpenMany

        return OpenMany(self._client, requests, progress, concurrency, timeout_ms, options).run()

    def get(self, key: str | None = None, *, id: str | None = None, options: Options | None = None) -> Case:
        """The case with this key or id, as the store has it, without network."""
        return self._client.case_get(key=key, id=id, options=options).case

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
    ) -> CaseList:
        """Iterates over the cases of this account, oldest first, without network.

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
        return CaseList(self._client, filters, options)

    def follow(
        self,
        key: str | None = None,
        *,
        id: str | None = None,
        timeout_ms: int | None = None,
        every_ms: int = 1000,
        options: Options | None = None,
    ) -> Follow:
        """Follows a case, or all open ones; as :meth:`Client.follow`."""
        return Follow(self._client, {"id": id, "key": key}, timeout_ms, every_ms, options)

    def reconcile(self, key: str | None = None, *, id: str | None = None, options: Options | None = None) -> CaseReply:
        """Asks the vendor now what became of a case; without key and id, of all whose outcome is unknown."""
        every = True if key is None and id is None else None
        return self._client.case_reconcile(key=key, id=id, all=every, options=options)

    def resolve(
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
            id = self.get(key, options=options).id
        return self._client.case_resolve(id=id, as_=as_, by=by, evidence=evidence, options=options).case

    def export(
        self,
        *,
        open: bool | None = None,
        order_no: str | None = None,
        kind: AnyCaseKind | None = None,
        options: Options | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Iterates over the rows of an export, as plain data without passengers: amounts and times are text."""
        after: str | None = None
        while True:
            page = self._client.case_export(open=open, order_no=order_no, kind=kind, after=after, options=options)
            for line in (page.ndjson or "").splitlines():
                yield json.loads(line)
            after = page.next
            if after is None:
                return
