"""Iterators over the order list, page by page.

The vendor does not document what it answers after the last page, nor whether the list may change between two pages.
So each order is given once, the iteration ends at the first page that proves the end, and a changed total is a warning.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ._errors import bad_request
from ._parts import OrderSummary
from ._reply import Reply

if TYPE_CHECKING:
    from ._types import AsyncCaller, Caller, Options

#: The vendor's limit of ``pageSize``.
_MAX_PAGE_SIZE = 100


class OrdersMovedWarning(UserWarning):
    """The number of orders changed during the iteration: an order may be missing."""


def _whole(value: Any, name: str) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise bad_request(f"/{name} must be a whole number", f"/{name}") from None


class _Pages:
    #: The vendor's total on the last page; None if no page had one.
    total: int | None = None
    #: Whether the total changed between two pages: an order may be missing.
    moved: bool = False
    #: The number of pages read.
    pages: int = 0

    def __init__(
        self, request: Mapping[str, Any] | None, filters: dict[str, Any], options: Options | None
    ) -> None:
        self._filters = {**(request or {}), **{name: value for name, value in filters.items() if value is not None}}
        self._options = options
        size = self._filters.pop("page_size", None) or self._filters.pop("pageSize", None)
        self._filters.pop("pageSize", None)
        self._size = _whole(size or _MAX_PAGE_SIZE, "pageSize")
        self._page = _whole(self._filters.pop("page", None) or 1, "page")
        # When the iteration starts on a later page, the total does not tell where it ends.
        self._from_start = self._page == 1
        self._seen: set[str] = set()
        self._ready: deque[OrderSummary] = deque()
        self._done = False

    def _request(self) -> dict[str, Any]:
        return {**self._filters, "page": self._page, "pageSize": self._size}

    def _add_page(self, reply: Reply) -> None:
        """Adds a page. Until then a failed page is requested again by the next iteration."""
        orders: list[OrderSummary] = reply["orders"] or []
        fresh = 0
        for order in orders:
            number = order["orderNo"]
            if number is None:
                # It cannot be recognised as a duplicate; giving it twice is better than leaving it out.
                self._ready.append(order)
            elif number not in self._seen:
                self._seen.add(number)
                self._ready.append(order)
                fresh += 1
        self.pages += 1
        self._page += 1
        total, previous = reply["totalRecords"], self.total
        total = total if isinstance(total, int) else None
        self.total = total if total is not None else previous
        stated_size = reply["pageSize"]
        size = stated_size if isinstance(stated_size, int) and stated_size > 0 else self._size
        # A page may be short because the vendor reduced its size; if it does not state the size, the total decides.
        is_short = len(orders) < size and (stated_size is not None or total is None)
        is_all = self._from_start and total is not None and len(self._seen) >= total
        self._done = not fresh or is_short or is_all
        if previous is not None and total is not None and total != previous:
            self.moved = True
            message = f"the list of orders changed from {previous} to {total} while it was read: one may be missing"
            warnings.warn(message, OrdersMovedWarning, stacklevel=3)


class Orders(_Pages, Iterator[OrderSummary]):
    """An iterator over orders. After an exception it can be continued: the same page is requested again."""

    def __init__(
        self,
        client: Caller,
        request: Mapping[str, Any] | None,
        filters: dict[str, Any],
        options: Options | None,
    ) -> None:
        super().__init__(request, filters, options)
        self._client = client

    def __next__(self) -> OrderSummary:
        while not self._ready:
            if self._done:
                raise StopIteration
            self._add_page(self._client.call("orderList", self._request(), self._options))
        return self._ready.popleft()


class AsyncOrders(_Pages, AsyncIterator[OrderSummary]):
    """An iterator over orders. After an exception it can be continued: the same page is requested again."""

    def __init__(
        self,
        client: AsyncCaller,
        request: Mapping[str, Any] | None,
        filters: dict[str, Any],
        options: Options | None,
    ) -> None:
        super().__init__(request, filters, options)
        self._client = client

    async def __anext__(self) -> OrderSummary:
        while not self._ready:
            if self._done:
                raise StopAsyncIteration
            self._add_page(await self._client.call("orderList", self._request(), self._options))
        return self._ready.popleft()
