"""Objects of a reply. Values are converted on access, by the schema of their object."""

from __future__ import annotations

from collections.abc import Mapping

from ._native import Slice
from ._scalars import SCALARS, Convert, loads
from ._schema import OPEN, Field, Schema, schema_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_UNSET: Any = object()

#: Classes of records by the title of their schema; ``_part.Part`` fills it.
CLASSES: dict[str, type[Record]] = {}

#: How many fields of an object are read without the others.
_READ_ALONE = 2


class Record(Mapping[str, "Any"]):
    """An object of a reply.

    Attributes have Python names (``record.void_offer_id``). The mapping has the vendor's names
    (``record["voidOfferId"]``) and also fields that this version does not know.
    """

    _values: dict[str, Any]
    _schema: Schema

    def __init__(self, values: dict[str, Any] | Slice, schema: Schema) -> None:
        own = self.__dict__
        own["_slice" if type(values) is Slice else "_values"] = values
        own["_schema"] = schema

    def __getitem__(self, name: str) -> Any:
        return self._convert(name, self._values[name])

    def _convert(self, name: str, value: Any) -> Any:
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
                value = self._convert(vendor, self._read(vendor))
                # The next access finds it without __getattr__.
                self.__dict__[name] = value
                return value
        elif name == "_values" and "_slice" in self.__dict__:
            return self._load()
        raise AttributeError(f"this {type(self).__name__} has no field {name!r}", name=name, obj=self)

    # Type checkers know the fields from the classes in replies.py; any other name is an error for them.
    if not TYPE_CHECKING:
        __getattr__ = _find

    def _read(self, vendor: str) -> Any:
        """The JSON value of a documented field, None if it is absent."""
        own = self.__dict__
        # Two fields are read alone: often there is no third one. More of them are read together.
        asked: int = own.get("_asked", 0)
        if "_values" not in own and asked < _READ_ALONE:
            own["_asked"] = asked + 1
            found: tuple[Any] | None = own["_slice"].field(vendor)
            if found is not None:
                value = found[0]
                field = self._schema.fields[vendor]
                # An object in place of a documented scalar is given as it is, which is not a slice.
                if field.child is not None or field.is_any or type(value) is not Slice and type(value) is not list:
                    return value
        return self._values.get(vendor)

    def _load(self) -> dict[str, Any]:
        own = self.__dict__
        part: Slice = own["_slice"]
        values = part.values()
        if values is None:
            values = loads(part.text)
        # The slice stays, for a thread that has just seen it.
        own["_values"] = values
        return values

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
        import copy

        plain: dict[str, Any] = copy.deepcopy(self._values)
        return plain

    def __repr__(self) -> str:
        # Names only: values may be personal data of passengers.
        return f"<{type(self).__name__}: {', '.join(self._values)}>"

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._schema.attributes]

    def __reduce__(self) -> tuple[Any, ...]:
        # By the class, whose module may not be imported where it is read.
        return (_restore_record, (type(self), self._values, self._schema.operation, self._schema.path))


def _restore_record(kind: type[Record], values: dict[str, Any], operation: str, path: tuple[str, ...]) -> Record:
    return kind(values, schema_at(operation, path))


def make_record(values: dict[str, Any] | Slice, schema: Schema) -> Record:
    """A record of the class of its schema."""
    return CLASSES.get(schema.title, Record)(values, schema)


def wrap(value: Any) -> Any:
    """A value without a schema: objects become records, everything else stays as it is."""
    if type(value) is dict or type(value) is Slice:
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
        return kind(value, schema) if type(value) is dict or type(value) is Slice else wrap(value)

    return read


def _list_converter(convert: Convert | None) -> Convert:
    def read(value: Any) -> Any:
        if type(value) is not list:
            return wrap(value)
        return list(value) if convert is None else [convert(item) for item in value]

    return read
