"""The objects of replies that have a class of their own."""

from __future__ import annotations

from ._record import CLASSES, Record
from ._schema import schema_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar

    from typing_extensions import Self


class Part(Record):
    """A documented object of a reply; each of its classes is in ``replies.py``."""

    _path: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, path: tuple[str, ...] = (), **rest: Any) -> None:
        super().__init_subclass__(**rest)
        if path:
            cls._path = path
            CLASSES[cls.__name__] = cls

    @classmethod
    def build(cls, values: Mapping[str, Any], /) -> Self:
        """One for a unit test: documented fields that are not given are None, unknown ones raise TypeError."""
        from ._build import build

        schema = schema_at(cls._path[0], cls._path[1:])
        return cls(build(values, schema, cls.__name__), schema)

    def __repr__(self) -> str:
        from ._show import line, shown

        return line(type(self).__name__, shown(self, self._schema))

    def _repr_html_(self) -> str:
        from ._show import shown, table

        return table(type(self).__name__, shown(self, self._schema))


class Meta(Record):
    """About the request and the response."""

    http_status: int | None
    #: The vendor's status, message and id of the request.
    vendor_status: int | None
    vendor_message: str | None
    request_id: str | None
    client_request_id: str | None
    #: Requests sent.
    attempts: int
    elapsed_ms: int
    #: Of the response.
    bytes: int


class Notice(Record):
    """A warning of the library."""

    code: str
    #: JSON Pointer into the reply.
    path: str
    message: str


class Fault(Record):
    """The error of a reply; the exception has the same attributes."""

    code: str
    status: int
    message: str
    help: str
    advice: str
    next: str | None
    retryable: bool
    field: str | None
    vendor_code: str | None
    vendor_status: int | None
    vendor_message: str | None
    retry_after_ms: int | None
    details: list[Record]
