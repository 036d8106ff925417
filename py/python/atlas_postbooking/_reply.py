"""Replies and the records in them. Everything is read on first use."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any, Protocol

from . import _schema
from ._schema import OPEN, Schema, loads, schema_at, schema_of, wrap


class Outcome(str, Enum):
    """Does the effect that was asked for exist at the vendor?"""

    #: It happened, perhaps earlier.
    EXECUTED = "executed"
    #: It provably did not happen.
    NOT_EXECUTED = "not_executed"
    #: It may have happened: ask the vendor before anything else.
    UNKNOWN = "unknown"

    def __str__(self) -> str:
        return self.value


class Record(Mapping[str, Any]):
    """An object of a reply.

    Attributes have Python's names (``record.void_offer_id``), the mapping has the vendor's
    (``record["voidOfferId"]``) and fields that this version does not know as well.
    """

    _values: dict[str, Any]
    _schema: Schema

    def __init__(self, values: dict[str, Any], schema: Schema) -> None:
        own = self.__dict__
        own["_values"] = values
        own["_schema"] = schema

    def __getitem__(self, name: str) -> Any:
        value = self._values[name]
        if value is None:
            return None
        convert = self._schema.converters.get(name, wrap)
        return value if convert is None else convert(value)

    def __getattr__(self, name: str) -> Any:
        if name[:1] != "_":
            schema = self._schema
            vendor = schema.attributes.get(name)
            if vendor is None:
                vendor = schema.vendor_name(name)
            # A documented field is there even if this reply is older than the documentation.
            if vendor is not None and (vendor in schema.converters or vendor in self._values):
                value = self[vendor] if vendor in self._values else None
                # The next look finds it without coming here.
                self.__dict__[name] = value
                return value
        raise AttributeError(f"this {type(self).__name__} has no field {name!r}", name=name, obj=self)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a {type(self).__name__} cannot be changed; to_dict() gives a copy that can")

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Record):
            return self._values == other._values
        if isinstance(other, Mapping):
            return dict(self) == dict(other)
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def to_dict(self) -> dict[str, Any]:
        """A copy as plain data, with the vendor's names and with amounts and times as text."""
        plain: dict[str, Any] = copy.deepcopy(self._values)
        return plain

    def __repr__(self) -> str:
        # Names only: values may be passengers.
        return f"<{type(self).__name__}: {', '.join(self._values)}>"

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._schema.attributes]

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restore_record, (self._values, self._schema.operation, self._schema.path))


_schema.record = Record


def _restore_record(values: dict[str, Any], operation: str, path: tuple[str, ...]) -> Record:
    return Record(values, schema_at(operation, path))


class Source(Protocol):
    """Where a reply's parts come from: the core, or a pickle."""

    @property
    def ok(self) -> bool: ...
    @property
    def status(self) -> int: ...
    @property
    def outcome(self) -> str: ...
    @property
    def json(self) -> str: ...
    @property
    def raw(self) -> bytes | None: ...


class Reply(Mapping[str, Any]):
    """What came of a call.

    Attributes and mapping go to :attr:`data`: ``reply.void_offer_id``, ``reply["voidOfferId"]``. A
    field whose name is taken here (``data`` of a notification) is reached as ``reply["data"]``. What
    happened to a case is ``reply.case.outcome``: :attr:`outcome` is the call's.
    """

    #: Whether it succeeded.
    ok: bool
    #: The operation's name.
    operation: str
    #: Whether it happened.
    outcome: Outcome
    #: The vendor's fields; None if no JSON object came.
    data: Record | None
    #: The case that the call belongs to; None if there is none, as without a store.
    case: Record | None
    #: Remarks of the library: ``code``, ``path``, ``message``.
    warnings: list[Record]
    #: ``http_status``, ``vendor_status``, ``request_id``, ``attempts``, ``elapsed_ms`` …
    meta: Record
    #: What went wrong, if anything did.
    error: Record | None
    #: The vendor's bytes, decompressed; partial if the answer was cut; None if none began.
    raw: bytes | None
    #: The whole reply as JSON, equal in every language.
    json: str

    _source: Source

    def __init__(self, operation: str, source: Source) -> None:
        own = self.__dict__
        own["operation"] = operation
        own["_source"] = source

    def __getattr__(self, name: str) -> Any:
        load = _LOADERS.get(name)
        if load is not None:
            value = load(self)
        elif name[:1] == "_":
            raise AttributeError(f"a Reply has no attribute {name!r}", name=name, obj=self)
        else:
            try:
                value = getattr(self._record, name)
            except AttributeError:
                message = f"the reply of {self.operation} has no field {name!r}"
                raise AttributeError(message, name=name, obj=self) from None
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Reply cannot be changed; to_dict() gives a copy that can")

    def __getitem__(self, name: str) -> Any:
        return self._record[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._record)

    def __len__(self) -> int:
        return len(self._record)

    def __bool__(self) -> bool:
        # Not "has fields": an empty answer that succeeded is a success.
        return bool(self.ok)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Reply):
            return self.json == other.json and self.raw == other.raw
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def to_dict(self) -> dict[str, Any]:
        """The data as plain data, with the vendor's names and with amounts and times as text."""
        plain: dict[str, Any] = self._record.to_dict()
        return plain

    def __repr__(self) -> str:
        code = "" if self.error is None else f" {self.error.code}"
        return f"<Reply of {self.operation}: {self.outcome}{code}: {', '.join(self._record)}>"

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *_LOADERS, *self._record._schema.attributes]

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restore_reply, (self.operation, self.json, self.raw))


class _Stored:
    """The parts of a reply that was pickled."""

    def __init__(self, json: str, raw: bytes | None) -> None:
        whole = loads(json)
        self.ok: bool = whole["ok"]
        self.outcome: str = whole["outcome"]
        self.status: int = 0 if self.ok else whole["error"]["status"]
        self.json = json
        self.raw = raw


def _restore_reply(operation: str, json: str, raw: bytes | None) -> Reply:
    return Reply(operation, _Stored(json, raw))


def _load_data(reply: Reply) -> Record | None:
    # The core says where the data stands, so that the rest need not be parsed for it.
    text = getattr(reply._source, "data", None)
    values = reply._whole["data"] if text is None else loads(text)
    if type(values) is not dict:
        return None
    return Record(values, OPEN if reply.operation == "validate" else schema_of(reply.operation, "reply"))


def _load_case(reply: Reply) -> Record | None:
    case = reply._whole.get("case")
    return None if case is None else Record(case, schema_of("case.get", "reply"))


def _load_error(reply: Reply) -> Record | None:
    return None if reply.ok else Record(reply._whole["error"], OPEN)


_LOADERS: dict[str, Callable[[Reply], Any]] = {
    "ok": lambda reply: reply._source.ok,
    "outcome": lambda reply: Outcome(reply._source.outcome),
    "json": lambda reply: reply._source.json,
    "raw": lambda reply: reply._source.raw,
    "data": _load_data,
    "case": _load_case,
    "error": _load_error,
    "warnings": lambda reply: [Record(each, OPEN) for each in reply._whole["warnings"]],
    "meta": lambda reply: Record(reply._whole["meta"], OPEN),
    "_whole": lambda reply: loads(reply.json),
    "_record": lambda reply: reply.data if reply.data is not None else Record({}, schema_of(reply.operation, "reply")),
}
