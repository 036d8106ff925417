"""All orders of a list, page after page.

What the vendor does past the last page, and whether the list stands still between pages, is documented
nowhere. So: each order once, an end as soon as one is certain, and a warning when the total moved.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ._errors import bad_request
from ._reply import Record, Reply

if TYPE_CHECKING:
    from ._client import AsyncClient, Client

#: The vendor's limit.
_LARGEST_PAGE = 100


class OrdersMovedWarning(UserWarning):
    """The list changed while it was read: an order may be missing."""


def _whole(value: Any, name: str) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise bad_request(f"/{name} must be a whole number", f"/{name}") from None


class _Pages:
    #: How many orders the vendor counts, as of the last page; None if it did not say.
    total: int | None = None
    #: The total moved between pages: an order may be missing.
    moved: bool = False
    #: How many pages were read.
    pages: int = 0

    def __init__(
        self, request: Mapping[str, Any] | None, filters: dict[str, Any], options: Mapping[str, Any] | None
    ) -> None:
        self._filters = {**(request or {}), **{name: value for name, value in filters.items() if value is not None}}
        self._options = options
        size = self._filters.pop("page_size", None) or self._filters.pop("pageSize", None)
        self._filters.pop("pageSize", None)
        self._size = _whole(size or _LARGEST_PAGE, "pageSize")
        self._page = _whole(self._filters.pop("page", None) or 1, "page")
        #: The first page may be a later one; then the total says nothing about the end.
        self._from_start = self._page == 1
        self._seen: set[str] = set()
        self._ready: deque[Record] = deque()
        self._done = False

    def _request(self) -> dict[str, Any]:
        return {**self._filters, "page": self._page, "pageSize": self._size}

    def _take(self, reply: Reply) -> None:
        """Takes a page in. What failed before it can be tried again by going on."""
        orders: list[Record] = reply["orders"] or []
        fresh = 0
        for order in orders:
            number = order["orderNo"]
            if number is None:
                # Nothing to tell it from others by: better twice than never.
                self._ready.append(order)
            elif number not in self._seen:
                self._seen.add(number)
                self._ready.append(order)
                fresh += 1
        self.pages += 1
        self._page += 1
        total, before = reply["totalRecords"], self.total
        total = total if isinstance(total, int) else None
        self.total = total if total is not None else before
        told = reply["pageSize"]
        size = told if isinstance(told, int) and told > 0 else self._size
        # A size that was cut down without a word looks like a short page; then the total decides.
        is_short = len(orders) < size and (told is not None or total is None)
        is_all = self._from_start and total is not None and len(self._seen) >= total
        self._done = not fresh or is_short or is_all
        if before is not None and total is not None and total != before:
            self.moved = True
            message = f"the list of orders changed from {before} to {total} while it was read: one may be missing"
            warnings.warn(message, OrdersMovedWarning, stacklevel=3)


class Orders(_Pages, Iterator[Record]):
    """An iterator over orders. After an exception it can be asked again: it goes on with the same page."""

    def __init__(
        self,
        client: Client,
        request: Mapping[str, Any] | None,
        filters: dict[str, Any],
        options: Mapping[str, Any] | None,
    ) -> None:
        super().__init__(request, filters, options)
        self._client = client

    def __next__(self) -> Record:
        while not self._ready:
            if self._done:
                raise StopIteration
            self._take(self._client.call("orderList", self._request(), self._options))
        return self._ready.popleft()


class AsyncOrders(_Pages, AsyncIterator[Record]):
    """An iterator over orders. After an exception it can be asked again: it goes on with the same page."""

    def __init__(
        self,
        client: AsyncClient,
        request: Mapping[str, Any] | None,
        filters: dict[str, Any],
        options: Mapping[str, Any] | None,
    ) -> None:
        super().__init__(request, filters, options)
        self._client = client

    async def __anext__(self) -> Record:
        while not self._ready:
            if self._done:
                raise StopAsyncIteration
            self._take(await self._client.call("orderList", self._request(), self._options))
        return self._ready.popleft()
