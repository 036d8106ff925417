"""The fields of requests and replies, read from the core's own description (``describe``) on first use.

Only data: values are converted by ``_record.py`` (replies) and ``_encode.py`` (requests).
"""

from __future__ import annotations

from . import _native
from ._scalars import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class Field:
    """One field of an object."""

    __slots__ = ("child", "format", "is_any", "list_depth")

    def __init__(self, format: str, child: Schema | None, list_depth: int, is_any: bool) -> None:
        #: The ``format`` of its JSON Schema; "" without one.
        self.format = format
        #: The schema of the object in it, or of the objects in its list; None for other values.
        self.child = child
        #: How many lists are around the value: 1 for a list, 2 for a list of lists.
        self.list_depth = list_depth
        #: The value, or each value in the list, may be any JSON.
        self.is_any = is_any


class Schema:
    """The fields of one object."""

    __slots__ = ("attributes", "converters", "fields", "operation", "path", "title")

    def __init__(self, operation: str, path: tuple[str, ...], title: str = "") -> None:
        self.operation: str = operation
        #: The name of the class of the object.
        self.title: str = title
        #: Where the object is in the operation's description; pickled records refer to it.
        self.path: tuple[str, ...] = path
        #: Python name → vendor name.
        self.attributes: dict[str, str] = {}
        #: Vendor name → field.
        self.fields: dict[str, Field] = {}
        #: Vendor name → function that makes the Python value, None for a value that needs none. A cache of
        #: ``_record.py``.
        self.converters: dict[str, Any] = {}

    def vendor_name(self, attribute: str) -> str | None:
        """The vendor name of an attribute that is not in ``attributes``."""
        return None

    def child(self, name: str) -> Schema:
        """The schema of the object, or of the objects in the list, of a field."""
        field = self.fields.get(name)
        return UNKNOWN if field is None or field.child is None else field.child

    def is_any(self, name: str) -> bool:
        """Whether a field is known and its value may be any JSON."""
        field = self.fields.get(name)
        return field is not None and field.is_any and not field.list_depth


class OpenSchema(Schema):
    """An object whose fields are not described; only the spelling is known: ``http_status`` is ``httpStatus``."""

    __slots__ = ()

    def vendor_name(self, attribute: str) -> str | None:
        first, *rest = attribute.split("_")
        return first + "".join(part[:1].upper() + part[1:] for part in rest)


#: No field is known: values are found by their vendor names only.
UNKNOWN = Schema("", ())
#: Parts of a reply that the library itself writes, such as ``meta``.
OPEN = OpenSchema("", ("open",))

_cache: dict[tuple[str, str], Schema] = {}


def schema_of(operation: str, side: str) -> Schema:
    """The schema of an operation's ``request`` or ``reply``; UNKNOWN for an unknown operation."""
    found = _cache.get((operation, side))
    if found is None:
        found = _load(operation, side)
    return found


def schema_at(operation: str, path: tuple[str, ...]) -> Schema:
    """The schema at ``Schema.path`` of an operation."""
    if not operation:
        return OPEN if path else UNKNOWN
    schema = schema_of(operation, path[0])
    for name in path[1:]:
        schema = schema.child(name)
    return schema


def _load(operation: str, side: str) -> Schema:
    reply = _native.describe(operation.encode(errors="replace"))
    if not operation or not reply.ok:
        return UNKNOWN
    described = _plain(reply.slice)["operations"][0]
    for each in ("request", "reply"):
        _cache[(operation, each)] = _build(described[each], operation, (each,))
    return _cache[(operation, side)]


def _plain(value: Any) -> Any:
    """The description as dictionaries and lists, read natively: the module ``json`` takes long to import."""
    if type(value) is _native.Slice:
        values = value.values()
        if values is None:
            return loads(value.text)
        return {name: _plain(each) for name, each in values.items()}
    return [_plain(each) for each in value] if type(value) is list else value


def _build(described: Mapping[str, Any], operation: str, path: tuple[str, ...]) -> Schema:
    schema = Schema(operation, path, described.get("title", ""))
    for name, field in described.get("properties", {}).items():
        attribute: str = field.get("x-attribute", name)
        # `as` and `from` cannot be names of arguments; they become `as_` and `from_`.
        schema.attributes[f"{attribute}_" if attribute in ("as", "from") else attribute] = name
        inner, list_depth = field, 0
        while "items" in inner:
            inner, list_depth = inner["items"], list_depth + 1
        child = _build(inner, operation, (*path, name)) if "properties" in inner else None
        is_any = not {"properties", "type", "format"} & inner.keys()
        schema.fields[name] = Field(inner.get("format", ""), child, list_depth, is_any)
    return schema
