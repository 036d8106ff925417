"""The client, and what it shares with AsyncClient."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from os import PathLike

from . import _native
from ._encode import encode_request, encode_settings
from ._errors import RequestError, bad_config, bad_request, closed, error_of, panicked
from ._observe import Observer
from ._operations import KINDS, Operations
from ._reply import Outcome, Reply, reply_of

# What a first call does not need is imported where it is used.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, NoReturn

    from typing_extensions import Self, Unpack

    from ._cases import Cases
    from ._follow import Follow
    from ._pages import Orders
    from ._types import Config, Options
    from .replies import WebhookReply
    from .requests import OrderListRequest


class Core:
    """The native client of a ``Client``: opens it, calls it, and makes Python exceptions of its errors."""

    __slots__ = ("_native", "has_store", "observer", "origin")

    def __init__(self, config: Mapping[str, Any] | None, keywords: dict[str, Any]) -> None:
        try:
            _check_store(config, keywords)
            text = encode_settings(config, keywords) or b"{}"
        except RequestError as refused:
            config = None
            keywords.clear()
            raise bad_config(refused) from None
        given = {**(config or {}), **keywords}
        base_url = given.get("base_url", given.get("baseUrl"))
        self.has_store: bool = given.get("store") is not None
        del given
        # The locals below are part of a traceback: the secret must not be in them.
        config = None
        keywords.clear()
        try:
            opened = _native.open(text)
        except _native.Panicked as panic:
            del text
            raise panicked("clientNew", str(panic), False) from None
        del text
        if isinstance(opened, _native.Reply):
            raise error_of(reply_of("clientNew", opened))
        self._native: _native.Client | None = opened
        # For repr(), without the path, which may be private. The core refuses a user or password in the URL.
        scheme, _, rest = str(base_url).partition("://")
        self.origin = f"{scheme}://{rest.partition('/')[0]}"
        self.observer = Observer(self.origin)

    def close(self) -> None:
        self._native = None

    @property
    def is_closed(self) -> bool:
        return self._native is None

    def send(self, operation: str, request: bytes, options: bytes) -> Reply:
        native = self._native
        if native is None:
            raise closed()
        started = self.observer.begin(native)
        try:
            name = operation.encode(errors="replace")
            # Python runs signal handlers (Ctrl-C) in the main thread only; other threads need not check for them.
            if threading.get_ident() == threading.main_thread().ident:
                try:
                    source = native.call_interruptible(name, request, options)
                except _native.Panicked:
                    raise
                except BaseException as interruption:
                    self.observer.interrupted(operation, str(annotate(interruption, operation)), started)
                    raise
            else:
                source = native.call(name, request, options)
        except _native.Panicked as panic:
            raise panicked(operation, str(panic), has_effect(operation)) from None
        return self._result(operation, source, started)

    async def send_async(self, operation: str, request: bytes, options: bytes) -> Reply:
        # Imported here because asyncio is slow to import, and most programs do not need it.
        from . import _loop

        native = self._native
        if native is None:
            raise closed()
        started = self.observer.begin(native)
        try:
            source = await _loop.call(native, operation.encode(errors="replace"), request, options)
        except _native.Panicked as panic:
            raise panicked(operation, str(panic), has_effect(operation)) from None
        except Exception:
            raise
        except BaseException as interruption:
            self.observer.interrupted(operation, str(annotate(interruption, operation)), started)
            raise
        return self._result(operation, source, started)

    def _result(self, operation: str, source: _native.Reply, started: float) -> Reply:
        # The class of the reply is there once this is imported.
        from . import replies  # noqa: F401  # pyright: ignore[reportUnusedImport]

        reply = reply_of(operation, source)
        self.observer.ended(reply, source.attempts, started)
        if source.ok:
            return reply
        raise error_of(reply)


def _check_store(*settings: Mapping[str, Any] | None) -> None:
    """A store is a mapping; a path alone is the likely mistake."""
    for each in settings:
        store = (each or {}).get("store")
        if isinstance(store, (str, PathLike)):
            path: str = str(store)  # pyright: ignore[reportUnknownArgumentType]
            raise bad_request(f'store must be a mapping, {{"path": {path!r}}}, not a path', "/store")


def has_effect(operation: str) -> bool:
    """Whether a call may change something at the vendor; of an unknown operation, yes."""
    return KINDS.get(operation, "submit") == "submit"


def annotate(interruption: BaseException, operation: str) -> Outcome:
    """Adds the outcome of the call, and a note about it, to an exception that a signal handler raised. Gives it."""
    source = getattr(interruption, "_atlas_reply", None)
    if source is not None:
        outcome = Outcome(source.outcome)
        note = f"{operation} ended at this moment; outcome: {outcome}"
    elif has_effect(operation):
        outcome = Outcome.UNKNOWN
        then = "query the vendor before sending it again"
        if operation == "case.open":
            then = "opening it again with the same key continues it"
        note = (
            f"{operation} continues in the background until this process ends; outcome: {outcome}: "
            f"it may be executed; {then}"
        )
    else:
        outcome = Outcome.NOT_EXECUTED
        note = f"{operation} was abandoned; outcome: {outcome}: it changes nothing at the vendor"
    note = f"atlas_postbooking: {note}."
    try:
        add_note = getattr(interruption, "add_note", None)
        if add_note is not None:
            add_note(note)
        else:
            interruption.args = (*interruption.args, note)
        interruption.outcome = outcome  # type: ignore[attr-defined]
    except AttributeError:
        pass  # The handler raised an exception to which nothing can be added.
    return outcome


class ClientBase:
    """The part that both clients share."""

    _core: Core

    def close(self) -> None:
        """Closes the client. Calls in progress are completed."""
        self._core.close()

    def __repr__(self) -> str:
        core: Core | None = getattr(self, "_core", None)
        state = "not open" if core is None else f"{core.origin} closed" if core.is_closed else core.origin
        return f"<atlas_postbooking.{type(self).__name__} {state}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"a {type(self).__name__} cannot be pickled, because it holds a secret and connections: "
            "make one in each process"
        )


class Client(ClientBase, Operations):
    """A client. It may be used from any number of threads.

    The configuration is a mapping (``{"baseUrl": …}``), keywords (``base_url=…``) or both. Nothing is sent and no
    thread is started before the first call.
    """

    def __init__(self, config: Mapping[str, Any] | None = None, /, **keywords: Unpack[Config]) -> None:
        self._core = Core(config, keywords)  # type: ignore[arg-type]

    def _operate(
        self,
        operation: str,
        request: Mapping[str, Any] | None,
        fields: dict[str, Any],
        options: Options | None,
    ) -> Reply:
        body = encode_request(operation, request, fields)
        return self._core.send(operation, body, encode_settings(options) if options else b"")

    @property
    def cases(self) -> Cases:
        """The cases of the client's store."""
        from ._cases import Cases

        return Cases(self)

    def iter_orders(
        self,
        request: Mapping[str, Any] | None = None,
        /,
        *,
        options: Options | None = None,
        **filters: Unpack[OrderListRequest],
    ) -> Orders:
        """Iterates over the orders of all pages, each order once. Takes the arguments of :meth:`order_list`."""
        from ._pages import Orders

        return Orders(self, request, dict(filters), options)

    def follow(
        self,
        *,
        id: str | None = None,
        key: str | None = None,
        timeout_ms: int | None = None,
        every_ms: int = 1000,
        options: Options | None = None,
    ) -> Follow:
        """Follows a case, or all open ones. Gives a reply after every step.

        Ends when no case is open or the time is over.

        Args:
            id: The id of the case.
            key: The key of the case. Without id and key, all open cases are followed.
            timeout_ms: The time for all steps together; None for no limit.
            every_ms: How long a step waits for a query to become due; with 0 the caller has to wait.
            options: Options of each call.
        """
        from ._follow import Follow

        return Follow(self, {"id": id, "key": key}, timeout_ms, every_ms, options)

    def parse_webhook(self, body: str | bytes | Mapping[str, Any]) -> WebhookReply:
        """As :func:`atlas_postbooking.parse_webhook`."""
        from ._local import parse_webhook

        return parse_webhook(body)

    def metrics(self) -> str:
        """Counters of the calls of this client, and with a store the numbers of its cases, as Prometheus reads them."""
        return self._core.observer.metrics(self.case_stats() if self._core.has_store else None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
