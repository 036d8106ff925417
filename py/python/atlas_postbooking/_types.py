"""Types of arguments. Imported by type checkers only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from os import PathLike
from typing import Any, Literal, Protocol, TypedDict

from ._reply import Reply

Amount = Decimal | int | str
Code = int | str
Day = date | str
Flag = bool | int | str
#: Aware, or text in ISO 8601 with an offset or in the vendor's form.
Instant = datetime | str
#: Local time of an airport, without an offset.
LocalTime = datetime | str
Part = Mapping[str, Any]


class Retry(TypedDict, total=False):
    """Repetition of reads and quotes."""

    max_attempts: int
    base_delay_ms: int
    max_delay_ms: int


class Rate(TypedDict):
    """A request budget: at most ``per_second * w + burst`` requests in any window of ``w`` seconds."""

    per_second: float
    burst: int


class Store(TypedDict, total=False):
    """The store of cases: a file on a local disk (``path``), or a PostgreSQL server (``url``).

    The witness of a file is ``PATH-witness`` if it is not given; that of a server is in memory then.
    """

    path: str | PathLike[str]
    url: str
    password: str | None
    ca_file: str | PathLike[str] | None
    client_cert_file: str | PathLike[str] | None
    client_key_file: str | PathLike[str] | None
    pool_size: int
    witness_file: str | PathLike[str] | None


class OfferMaxAge(TypedDict, total=False):
    """The oldest offer that a case submits, in milliseconds."""

    void: int
    refund: int


class Options(TypedDict, total=False):
    """Options of one call."""

    timeout_ms: int
    retry: Retry
    headers: Mapping[str, str]
    client_request_id: str
    allow_unknown: bool


class Config(TypedDict, total=False):
    """The configuration of a client as keywords; the defaults are in the README."""

    base_url: str
    client_id: str
    client_secret: str
    timeout_ms: int | None
    connect_timeout_ms: int
    user_agent: str
    accept: str
    proxy: str | None
    ca_file: str | PathLike[str] | None
    ca_mode: Literal["replace", "add"]
    client_cert_file: str | PathLike[str] | None
    client_key_file: str | PathLike[str] | None
    max_response_bytes: int
    max_connections: int
    retry: Retry
    rate_limit: Rate | None
    max_in_flight: int
    store: Store | None
    account: str | None
    settle_ms: int
    retry_after_max_ms: int
    offer_max_age_ms: OfferMaxAge
    follow: Rate
    clock: Part | None


class Caller(Protocol):
    """Calls an operation by the vendor's name, as ``Client`` does."""

    def call(
        self, operation: str, request: Mapping[str, Any] | None = None, options: Options | None = None
    ) -> Reply: ...


class AsyncCaller(Protocol):
    """The same for ``AsyncClient``."""

    async def call(
        self, operation: str, request: Mapping[str, Any] | None = None, options: Options | None = None
    ) -> Reply: ...
