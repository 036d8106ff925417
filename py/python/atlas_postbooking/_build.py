"""Values of replies from Python values, for the unit tests of programs that use this library."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum
from typing import Any

from ._schema import UNKNOWN, Schema


def build(values: Mapping[str, Any], schema: Schema, title: str) -> dict[str, Any]:
    """The JSON object of a reply: documented fields that are not given are null.

    Raises:
        TypeError: A name is not a field, or a value has a type that no reply has.
    """
    built: dict[str, Any] = dict.fromkeys(schema.fields)
    for key, value in values.items():
        name = schema.attributes.get(key, key)
        if name not in schema.fields:
            raise TypeError(f"{title} has no field {key!r}")
        built[name] = _value(value, schema.child(name), schema.fields[name].is_any, f"{title}.{key}")
    return built


def _value(value: Any, schema: Schema, is_any: bool, title: str) -> Any:
    if isinstance(value, Enum):
        return _value(value.value, schema, is_any, title)
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        if value.tzinfo is None:
            return value.isoformat()
        return value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        if is_any or schema is UNKNOWN:
            return {str(key): _value(each, UNKNOWN, True, title) for key, each in value.items()}
        return build(value, schema, title)
    if isinstance(value, (list, tuple)):
        return [_value(each, schema, is_any, title) for each in value]
    raise TypeError(f"{title} cannot be a {type(value).__name__}")
