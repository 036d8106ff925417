"""Python values to JSON for the core, which checks it. Only names and types are converted here."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from . import _native
from ._errors import RequestError, bad_request
from ._schema import UNKNOWN, Schema, schema_of

# What a first call does not need is imported where it is used.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def encode_request(operation: str, request: Mapping[str, Any] | None, fields: Mapping[str, Any]) -> bytes:
    """The request of an operation, from a mapping, keywords, or both. Keywords that are None are left out."""
    schema = schema_of(operation, "request")
    given = {name: value for name, value in fields.items() if value is not None}
    plain = given if request is None else request if not given else None
    if type(plain) is dict:
        # Plain values, as nearly always; None for what needs the rules below.
        encoded: bytes | None = _native.encode(plain, schema)
        if encoded is not None:
            return encoded
    body: dict[str, Any] = {}
    try:
        if request is not None:
            _object(request, schema, "", body)
        if given:
            _object(given, schema, "", body)
    except RecursionError:
        raise bad_request("the request is nested too deeply", "") from None
    return to_json(body)


def to_json(value: Any) -> bytes:
    """JSON as bytes. Raises RequestError for a value that JSON cannot represent."""
    from json import dumps

    try:
        return dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise bad_request("the request holds half of a surrogate pair, which is no text", "") from None
    except ValueError:
        raise bad_request("the request holds a number that is too long", "") from None


def _object(values: Any, schema: Schema, path: str, body: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        raise bad_request(f"{path or 'the request'} must be a mapping, not {type(values).__name__}", path)
    attributes = schema.attributes
    for key, value in values.items():
        if not isinstance(key, str):
            raise bad_request(f"{path}: keys must be str, not {type(key).__name__}", path)
        # An unknown name is passed on: the core refuses it and names the nearest one.
        name = attributes.get(key, key)
        if name in body:
            raise bad_request(f"{path}/{name} is given twice", f"{path}/{name}")
        kind = type(value)
        if kind is bytes and schema.is_any(name):
            # For example the body of a notification as it was received.
            value = _text(value, f"{path}/{name}")
        elif kind is not str and kind is not int and kind is not bool and value is not None:
            value = _value(value, schema.child(name), f"{path}/{name}")
        body[name] = value
    return body


def _text(value: bytes, path: str) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise bad_request(f"{path} is not UTF-8", path) from None


def _value(value: Any, schema: Schema, path: str) -> Any:
    if value is None or isinstance(value, (str, int)):
        return value.value if isinstance(value, Enum) else value
    from datetime import date
    from decimal import Decimal

    if isinstance(value, Decimal):
        if not value.is_finite():
            raise bad_request(f"{path} must be a finite number", path)
        # As text: exactly these digits, without an exponent.
        return format(value, "f")
    if isinstance(value, date):
        # datetime is a subclass of date. An offset is written if there is one; the core knows which fields need it.
        return value.isoformat()
    if isinstance(value, Mapping):
        return _object(value, schema, path, {})
    if isinstance(value, (list, tuple)):
        return [_value(item, schema, f"{path}/{i}") for i, item in enumerate(value)]
    if isinstance(value, Enum):
        return _value(value.value, schema, path)
    raise _refused(value, path)


def _refused(value: Any, path: str) -> RequestError:
    if isinstance(value, float):
        return bad_request(
            f"{path} must not be a float, which cannot hold money exactly: give a Decimal, int or str", path
        )
    return bad_request(f"{path} is a {type(value).__name__}, which cannot be sent", path)


def encode_settings(settings: Mapping[str, Any] | None, keywords: Mapping[str, Any] | None = None) -> bytes:
    """A configuration or the options of a call: ``base_url`` and ``baseUrl`` are the same key."""
    if not settings and not keywords:
        return b""
    merged: dict[str, Any] = {}
    for part in (settings, keywords):
        for key, value in (part or {}).items():
            name = _camel(str(key))
            if name in merged:
                raise bad_request(f"/{name} is given twice", f"/{name}")
            # Names of headers are not converted.
            merged[name] = value if name == "headers" else _setting(value)
    plain = _plain(merged)
    encoded: bytes | None = _native.encode(plain, UNKNOWN)
    return to_json(plain) if encoded is None else encoded


def _setting(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_camel(str(key)): _setting(each) for key, each in value.items()}
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    # Mostly paths: caFile may be a pathlib.Path.
    return str(value)


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)
