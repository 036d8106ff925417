"""Messages of the core with Python's names: ``/orderNo`` becomes ``order_no``, ``timeoutMs`` becomes ``timeout_ms``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ._schema import Schema, schema_of

_QUOTED = re.compile(r"`([A-Za-z_]\w*)`")


def python_names(text: str, operation: str, pointers: Iterable[str | None]) -> str:
    """The text of a fault of a request or a configuration, with Python's names for the fields that it is about."""
    schema = schema_of(operation, "request")
    # The longest first: one may be the beginning of another. A text may also have file names, which stay.
    for pointer in sorted(filter(None, set(pointers)), key=len, reverse=True):
        text = re.sub(rf"(?<![\w/]){re.escape(pointer)}(?![\w/])", lambda _: python_path(pointer, operation), text)
    return _QUOTED.sub(lambda found: f"`{_known(found[1], schema) or _snake(found[1])}`", text)


def python_path(pointer: str, operation: str) -> str:
    """A JSON Pointer as a path of attributes."""
    return _path(pointer.removeprefix("/").split("/"), schema_of(operation, "request"))


def _path(parts: list[str], schema: Schema) -> str:
    """``refundRequestList/0/firstName`` as ``refund_request_list[0].first_name``."""
    out = ""
    for part in parts:
        if part.isdigit():
            out += f"[{part}]"
            continue
        out += ("." if out else "") + (_attribute(part, schema) or _snake(part))
        schema = schema.child(part)
    return out


def _attribute(name: str, schema: Schema) -> str | None:
    return next((attribute for attribute, vendor in schema.attributes.items() if vendor == name), None)


def _known(name: str, schema: Schema) -> str | None:
    """The attribute of a name that may be in any object of a request."""
    return _attribute(name, schema) or next(
        (found for field in schema.fields.values() if field.child and (found := _known(name, field.child))), None
    )


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
