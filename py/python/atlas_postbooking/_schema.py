"""What the fields of a message are: taken from the core's own description, on first use.

Replies are read through it (amounts to ``Decimal``, times to ``date`` and ``datetime``), requests are
written through it (``order_no`` to ``orderNo``).
"""

from __future__ import annotations

import json
import keyword
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from . import _native

Convert = Callable[[Any], Any]


class Schema:
    """The fields of one object."""

    __slots__ = ("attributes", "children", "converters", "operation", "path")

    def __init__(self, operation: str, path: tuple[str, ...]) -> None:
        self.operation = operation
        #: Where it stands in the operation's description, so that records can be pickled.
        self.path = path
        #: Python's name → the vendor's.
        self.attributes: dict[str, str] = {}
        #: The vendor's name → what makes a Python value of it; a field without one stays as it is.
        self.converters: dict[str, Convert | None] = {}
        #: The vendor's name → the fields of the object, or of the objects in the list, there.
        self.children: dict[str, Schema] = {}

    def vendor_name(self, attribute: str) -> str | None:
        """The vendor's name of an attribute that is not in ``attributes``."""
        return None


class OpenSchema(Schema):
    """An object of which only the spelling is known: ``http_status`` is ``httpStatus``."""

    __slots__ = ()

    def vendor_name(self, attribute: str) -> str | None:
        first, *rest = attribute.split("_")
        return first + "".join(part[:1].upper() + part[1:] for part in rest)


#: What makes a record of an object: the class itself, put here by the module that defines it.
record: Callable[[dict[str, Any], Schema], Any]

#: The fields are unknown: they are reached by the vendor's names alone.
UNKNOWN = Schema("", ())
#: Parts of a reply that the library writes itself.
OPEN = OpenSchema("", ("open",))

_cache: dict[tuple[str, str], Schema] = {}


def schema_of(operation: str, side: str) -> Schema:
    """The schema of an operation's ``request`` or ``reply``; of an unknown operation, an empty one."""
    found = _cache.get((operation, side))
    if found is None:
        found = _load(operation, side)
    return found


def schema_at(operation: str, path: tuple[str, ...]) -> Schema:
    """The schema at a place that a pickled record remembers."""
    if not operation:
        return OPEN if path else UNKNOWN
    schema = schema_of(operation, path[0])
    for name in path[1:]:
        schema = schema.children.get(name, UNKNOWN)
    return schema


def _load(operation: str, side: str) -> Schema:
    reply = _native.describe(operation.encode(errors="replace"))
    if not operation or not reply.ok:
        return UNKNOWN
    described = json.loads(reply.data)["operations"][0]
    for each in ("request", "reply"):
        _cache[(operation, each)] = _build(described[each], operation, (each,))
    return _cache[(operation, side)]


def _build(described: Mapping[str, Any], operation: str, path: tuple[str, ...]) -> Schema:
    schema = Schema(operation, path)
    for name, field in described.get("properties", {}).items():
        attribute: str = field.get("x-attribute", name)
        # `as` cannot be the name of an argument.
        schema.attributes[attribute + "_" * keyword.iskeyword(attribute)] = name
        inner, lists = field, 0
        while "items" in inner:
            inner, lists = inner["items"], lists + 1
        if "properties" in inner:
            child = _build(inner, operation, (*path, name))
            schema.children[name] = child
            convert: Convert | None = _reader(child)
        elif not ("type" in inner or "format" in inner):
            convert = wrap
        else:
            convert = _SCALARS.get(inner.get("format", ""))
        for _ in range(lists):
            convert = _each(convert)
        schema.converters[name] = convert
    return schema


def _reader(schema: Schema) -> Convert:
    def read(value: Any) -> Any:
        return record(value, schema) if type(value) is dict else wrap(value)

    return read


def _each(convert: Convert | None) -> Convert:
    def read(value: Any) -> Any:
        if type(value) is not list:
            return wrap(value)
        return list(value) if convert is None else [convert(item) for item in value]

    return read


def wrap(value: Any) -> Any:
    """A value of which nothing is known: its objects become records, the rest stays."""
    if type(value) is dict:
        return record(value, OPEN)
    if type(value) is list:
        return [wrap(item) for item in value]
    return value


# A value that is not what its schema says stays as it came: one odd field must not hide the others.


def _decimal(value: Any) -> Any:
    try:
        return Decimal(value) if type(value) is str else value
    except InvalidOperation:
        return value


def _date(value: Any) -> Any:
    # Later versions of Python read more forms than the one that is meant.
    if type(value) is not str or len(value) != 10 or value[4] != "-" or value[7] != "-":
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        return value


def _datetime(value: Any) -> datetime | None:
    if type(value) is not str or len(value) < 16 or value[10] != "T":
        return None
    text = value[:-1] + "+00:00" if value[-1] == "Z" else value
    if text[19:20] == ".":
        # Python 3.10 reads three or six digits of a second and nothing else.
        digits = len(text[20:]) - len(text[20:].lstrip("0123456789"))
        text = text[:20] + text[20 : 20 + digits][:6].ljust(6, "0") + text[20 + digits :]
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _instant(value: Any) -> Any:
    moment = _datetime(value)
    return value if moment is None or moment.tzinfo is None else moment


def _local(value: Any) -> Any:
    moment = _datetime(value)
    return value if moment is None or moment.tzinfo is not None else moment


_SCALARS: dict[str, Convert] = {
    "decimal": _decimal,
    "date": _date,
    "date-time": _instant,
    "local-date-time": _local,
}


def _number(token: str) -> Any:
    try:
        return int(token)
    except ValueError:
        # Python refuses to read integers of more than 4300 digits.
        return _fraction(token)


def _fraction(token: str) -> Any:
    try:
        return Decimal(token)
    except InvalidOperation:
        return token


_decode = json.JSONDecoder(parse_float=Decimal).decode
_decode_odd = json.JSONDecoder(parse_float=_fraction, parse_int=_number).decode


def loads(text: str) -> Any:
    """JSON without floats: numbers are ``int`` or ``Decimal``."""
    try:
        return _decode(text)
    except (ValueError, ArithmeticError):
        return _decode_odd(text)
