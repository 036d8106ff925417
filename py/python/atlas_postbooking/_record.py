"""Objects of a reply. Values are converted on access, by the schema of their object."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ._scalars import SCALARS, Convert
from ._schema import OPEN, Field, Schema, schema_at

_UNSET: Any = object()

#: Classes of records by the title of their schema; ``_part.Part`` fills it.
CLASSES: dict[str, type[Record]] = {}


class Record(Mapping[str, Any]):
    """An object of a reply.

    Attributes have Python names (``record.void_offer_id``). The mapping has the vendor's names
    (``record["voidOfferId"]``) and also fields that this version does not know.
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
        schema = self._schema
        convert = schema.converters.get(name, _UNSET)
        if convert is _UNSET:
            field = schema.fields.get(name)
            # Not cached: a reply may have any number of unknown names.
            if field is None:
                return wrap(value)
            convert = schema.converters[name] = _converter(field)
        return value if convert is None else convert(value)

    def _find(self, name: str) -> Any:
        if name[:1] != "_":
            schema = self._schema
            vendor = schema.attributes.get(name)
            if vendor is None:
                vendor = schema.vendor_name(name)
            # A documented field that is absent is None: the vendor's older replies do not have all of them.
            if vendor is not None and (vendor in schema.fields or vendor in self._values):
                value = self[vendor] if vendor in self._values else None
                # The next access finds it without __getattr__.
                self.__dict__[name] = value
                return value
        raise AttributeError(f"this {type(self).__name__} has no field {name!r}", name=name, obj=self)

    # Type checkers know the fields from the classes in replies.py; any other name is an error for them.
    if not TYPE_CHECKING:
        __getattr__ = _find

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
        """A copy as plain data: the vendor's names, amounts and times as text."""
        plain: dict[str, Any] = copy.deepcopy(self._values)
        return plain

    def __repr__(self) -> str:
        # Names only: values may be personal data of passengers.
        return f"<{type(self).__name__}: {', '.join(self._values)}>"

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._schema.attributes]

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restore_record, (self._values, self._schema.operation, self._schema.path))


def _restore_record(values: dict[str, Any], operation: str, path: tuple[str, ...]) -> Record:
    return make_record(values, schema_at(operation, path))


def make_record(values: dict[str, Any], schema: Schema) -> Record:
    """A record of the class of its schema."""
    return CLASSES.get(schema.title, Record)(values, schema)


def wrap(value: Any) -> Any:
    """A value without a schema: objects become records, everything else stays as it is."""
    if type(value) is dict:
        return Record(value, OPEN)
    if type(value) is list:
        return [wrap(item) for item in value]
    return value


def _converter(field: Field) -> Convert | None:
    if field.child is not None:
        convert: Convert | None = _object_converter(field.child)
    elif field.is_any:
        convert = wrap
    else:
        convert = SCALARS.get(field.format)
    for _ in range(field.list_depth):
        convert = _list_converter(convert)
    return convert


def _object_converter(schema: Schema) -> Convert:
    kind = CLASSES.get(schema.title, Record)

    def read(value: Any) -> Any:
        return kind(value, schema) if type(value) is dict else wrap(value)

    return read


def _list_converter(convert: Convert | None) -> Convert:
    def read(value: Any) -> Any:
        if type(value) is not list:
            return wrap(value)
        return list(value) if convert is None else [convert(item) for item in value]

    return read
