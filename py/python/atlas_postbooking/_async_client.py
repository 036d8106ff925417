"""The client for event loops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._async_cases import AsyncCases
from ._async_operations import AsyncOperations
from ._client import ClientBase, Core
from ._encode import encode_request, encode_settings
from ._follow import AsyncFollow
from ._local import parse_webhook
from ._pages import AsyncOrders
from ._reply import Reply

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self, Unpack

    from ._types import Config, Options
    from .replies import WebhookReply
    from .requests import OrderListRequest


class AsyncClient(ClientBase, AsyncOperations):
    """The same client for asyncio and loops like it: calls take no thread, whatever their number.

    A task that is cancelled cancels its call. The ``CancelledError`` (the ``__cause__`` of the ``TimeoutError`` that
    ``asyncio.timeout`` makes of it) has ``outcome``: a submit that had not left is not executed, one that had is
    unknown. ``max_in_flight`` calls are at the vendor at once; the others wait, and the wait counts against their
    ``timeout_ms``.
    """

    def __init__(self, config: Mapping[str, Any] | None = None, /, **keywords: Unpack[Config]) -> None:
        self._core = Core(config, keywords)  # type: ignore[arg-type]

    async def _operate(
        self,
        operation: str,
        request: Mapping[str, Any] | None,
        fields: dict[str, Any],
        options: Options | None,
    ) -> Reply:
        body = encode_request(operation, request, fields)
        return await self._core.send_async(operation, body, encode_settings(options) if options else b"")

    @property
    def cases(self) -> AsyncCases:
        """The cases of the client's store."""
        return AsyncCases(self)

    def iter_orders(
        self,
        request: Mapping[str, Any] | None = None,
        /,
        *,
        options: Options | None = None,
        **filters: Unpack[OrderListRequest],
    ) -> AsyncOrders:
        """Iterates over the orders of all pages, each order once. Takes the arguments of :meth:`order_list`."""
        return AsyncOrders(self, request, dict(filters), options)

    def follow(
        self,
        *,
        id: str | None = None,
        key: str | None = None,
        timeout_ms: int | None = None,
        every_ms: int = 1000,
        options: Options | None = None,
    ) -> AsyncFollow:
        """Follows a case, or all open ones. Gives a reply after every step.

        Ends when no case is open or the time is over.

        Args:
            id: The id of the case.
            key: The key of the case. Without id and key, all open cases are followed.
            timeout_ms: The time for all steps together; None for no limit.
            every_ms: How long a step waits for a query to become due; with 0 the caller has to wait.
            options: Options of each call.
        """
        return AsyncFollow(self, {"id": id, "key": key}, timeout_ms, every_ms, options)

    async def parse_webhook(self, body: str | bytes | Mapping[str, Any]) -> WebhookReply:
        """As :func:`atlas_postbooking.parse_webhook`."""
        return parse_webhook(body)

    async def metrics(self) -> str:
        """Counters of the calls of this client, and with a store the numbers of its cases, as Prometheus reads them."""
        return self._core.observer.metrics(await self.case_stats() if self._core.has_store else None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
