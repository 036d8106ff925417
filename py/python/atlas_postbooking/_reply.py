"""Replies. Their parts are parsed on first use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum

from ._native import Reply as NativeReply
from ._part import Fault, Meta, Notice
from ._record import Record, make_record
from ._scalars import loads
from ._schema import OPEN, schema_of

# What a first call does not need is imported where it is used.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, ClassVar, Protocol

    from typing_extensions import Self

    from ._parts import Case


class Outcome(str, Enum):
    """Does the requested effect exist at the vendor?"""

    #: It happened, by this call or before it.
    EXECUTED = "executed"
    #: It provably did not happen.
    NOT_EXECUTED = "not_executed"
    #: It may have happened: query the vendor before anything else, and do not send it again.
    UNKNOWN = "unknown"
    #: Of cases only: not settled yet, nothing is lost.
    PENDING = "pending"

    def __str__(self) -> str:
        return self.value


if TYPE_CHECKING:

    class Source(Protocol):
        """Where the parts of a reply come from: the core, or a pickle."""

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


#: Classes of replies by operation; ``replies.py`` fills it.
_CLASSES: dict[str, type[Reply]] = {}


class Reply(Mapping[str, "Any"]):
    """The result of a call.

    Attributes and mapping refer to :attr:`data`: ``reply.void_offer_id``, ``reply["voidOfferId"]``. A field
    that has the name of an attribute below (``data`` of a notification) is ``reply["data"]``.
    :attr:`outcome` is that of the call; that of a case is ``reply.case.outcome``.
    """

    #: Whether it succeeded.
    ok: bool
    #: The operation's name.
    operation: str
    #: Whether it happened.
    outcome: Outcome
    #: The vendor's fields; None if no JSON object came.
    data: Record | None
    #: The case of the call; None if it has none, for example without a store.
    case: Case | None
    #: Warnings of the library: ``code``, ``path``, ``message``.
    warnings: list[Notice]
    #: ``http_status``, ``vendor_status``, ``request_id``, ``attempts``, ``elapsed_ms`` …
    meta: Meta
    #: The error; None on success.
    error: Fault | None
    #: The body of the HTTP response, decompressed; a part of it if the connection broke; None without a response.
    raw: bytes | None
    #: The whole reply as JSON, the same bytes in every language binding.
    json: str

    _source: Source
    _record: Record
    _whole: dict[str, Any]

    def __init__(self, operation: str, source: Source) -> None:
        own = self.__dict__
        own["operation"] = operation
        own["_source"] = source

    _operations: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, operations: tuple[str, ...] = (), **rest: Any) -> None:
        super().__init_subclass__(**rest)
        cls._operations = operations
        _CLASSES.update(dict.fromkeys(operations, cls))

    @classmethod
    def build(
        cls,
        data: Mapping[str, Any],
        /,
        *,
        case: Record | Mapping[str, Any] | None = None,
        warnings: Sequence[Mapping[str, Any]] = (),
        meta: Mapping[str, Any] | None = None,
    ) -> Self:
        """A successful reply for a unit test, from its fields by Python or vendor names.

        Documented fields that are not given are None, unknown ones raise TypeError. The outcome is ``executed``, of a
        case that of the case.
        """
        import json

        from ._build import build

        if not cls._operations:
            raise TypeError("build a reply by its class in atlas_postbooking.replies")
        operation = cls._operations[0]
        values = build(data, schema_of(operation, "reply"), cls.__name__)
        case_values = _case_values(values if "steps" in values else case)
        outcome = case_values["outcome"] if "steps" in values and case_values else None
        whole: dict[str, Any] = {"ok": True, "operation": operation, "outcome": outcome or "executed", "data": values}
        if case_values is not None:
            whole["case"] = case_values
        whole["warnings"] = [dict(each) for each in warnings]
        whole["meta"] = {**_NO_META, **(meta or {})}
        return cls(operation, _PickledSource(json.dumps(whole, separators=(",", ":"), ensure_ascii=False), None))

    def _find(self, name: str) -> Any:
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

    # Type checkers know the fields from the classes in replies.py; any other name is an error for them.
    if not TYPE_CHECKING:
        __getattr__ = _find

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Reply cannot be changed; to_dict() gives a copy that can")

    def __getitem__(self, name: str) -> Any:
        return self._record[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._record)

    def __len__(self) -> int:
        return len(self._record)

    def __bool__(self) -> bool:
        # Success, not "has fields" as of other mappings: the data of a success may be empty.
        return bool(self.ok)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Reply):
            return self.json == other.json and self.raw == other.raw
        return NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def to_dict(self) -> dict[str, Any]:
        """A copy of :attr:`data` as plain data: the vendor's names, amounts and times as text."""
        plain: dict[str, Any] = self._record.to_dict()
        return plain

    def __repr__(self) -> str:
        from ._show import line, shown

        return line(self._title(), shown(self._record, self._record._schema))

    def _repr_html_(self) -> str:
        from ._show import shown, table

        return table(self._title(), shown(self._record, self._record._schema))

    def _title(self) -> str:
        code = "" if self.error is None else f" {self.error.code}"
        return f"{type(self).__name__} of {self.operation}: {self.outcome}{code}"

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *_LOADERS, *self._record._schema.attributes]

    def __reduce__(self) -> tuple[Any, ...]:
        # By the class, whose module may not be imported where it is read.
        return (_restore_reply, (type(self), self.operation, self.json, self.raw))


class _PickledSource:
    """The parts of a pickled reply."""

    def __init__(self, json: str, raw: bytes | None) -> None:
        whole = loads(json)
        self.ok: bool = whole["ok"]
        self.outcome: str = whole["outcome"]
        self.status: int = 0 if self.ok else whole["error"]["status"]
        self.json = json
        self.raw = raw


def _restore_reply(kind: type[Reply], operation: str, json: str, raw: bytes | None) -> Reply:
    return kind(operation, _PickledSource(json, raw))


def reply_of(operation: str, source: Source) -> Reply:
    """A reply of the class of its operation, if ``replies.py`` is imported."""
    return _CLASSES.get(operation, Reply)(operation, source)


_NO_META = {
    "httpStatus": None,
    "vendorStatus": None,
    "vendorMessage": None,
    "requestId": None,
    "clientRequestId": None,
    "attempts": 1,
    "elapsedMs": 0,
    "bytes": 0,
}


def _case_values(case: Record | Mapping[str, Any] | None) -> dict[str, Any] | None:
    if case is None:
        return None
    from ._build import build

    return case.to_dict() if isinstance(case, Record) else build(case, schema_of("case.get", "reply"), "Case")


def _load_data(reply: Reply) -> Record | None:
    # The core also gives the data alone, read field by field; a pickle does not.
    source = reply._source
    values = source.slice if isinstance(source, NativeReply) else reply._whole["data"]
    if values is None:
        return None
    return make_record(values, OPEN if reply.operation == "validate" else schema_of(reply.operation, "reply"))


def _load_case(reply: Reply) -> Record | None:
    case = reply._whole.get("case")
    return None if case is None else make_record(case, schema_of("case.get", "reply"))


def _load_error(reply: Reply) -> Fault | None:
    return None if reply.ok else Fault(reply._whole["error"], OPEN)


_LOADERS: dict[str, Callable[[Reply], Any]] = {
    "ok": lambda reply: reply._source.ok,
    "outcome": lambda reply: Outcome(reply._source.outcome),
    "json": lambda reply: reply._source.json,
    "raw": lambda reply: reply._source.raw,
    "data": _load_data,
    "case": _load_case,
    "error": _load_error,
    "warnings": lambda reply: [Notice(each, OPEN) for each in reply._whole["warnings"]],
    "meta": lambda reply: Meta(reply._whole["meta"], OPEN),
    "_whole": lambda reply: loads(reply.json),
    "_record": lambda reply: reply.data if reply.data is not None else Record({}, schema_of(reply.operation, "reply")),
}
