"""Objects of a reply. Values are converted on access, by the schema of their object."""

from __future__ import annotations

from collections.abc import Mapping

from ._native import Slice
from ._scalars import SCALARS, Convert, loads
from ._schema import OPEN, Field, Schema, schema_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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

    # In slots, because a list has thousands of them: the __dict__ comes with the first attribute that is read.
    __slots__ = ("__dict__", "__weakref__", "_asked", "_schema", "_slice", "_values")

    _values: dict[str, Any]
    _schema: Schema
    #: What the values are read from; None once they are.
    _slice: Slice | None
    #: How many fields were read alone.
    _asked: int

    def __init__(self, values: dict[str, Any] | Slice, schema: Schema) -> None:
        _set_schema(self, schema)
        if type(values) is Slice:
            _set_slice(self, values)
            _set_asked(self, 0)
        else:
            _set_slice(self, None)
            _set_values(self, values)

    def __getitem__(self, name: str) -> Any:
        value = self._read(name) if name in self._schema.fields else self._values[name]
        if value is _UNSET:
            raise KeyError(name)
        return self._convert(name, value)

    def _convert(self, name: str, value: Any) -> Any:
        if value is None or value is _UNSET:
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
        elif name == "_values":
            return self._load()
        raise AttributeError(f"this {type(self).__name__} has no field {name!r}", name=name, obj=self)

    # Type checkers know the fields from the classes in replies.py; any other name is an error for them.
    if not TYPE_CHECKING:
        __getattr__ = _find

    def _read(self, vendor: str) -> Any:
        """The JSON value of a field, _UNSET if it is absent."""
        part = self._slice
        # A documented field is in its object once: of others the last one counts, which is not found here.
        if part is not None and (field := self._schema.fields.get(vendor)) is not None:
            # Two fields are read alone: often there is no third one. More of them are read together.
            asked = self._asked
            if asked < _READ_ALONE or part.is_large:
                _set_asked(self, asked + 1)
                found = part.field(vendor)
                if found is not None:
                    value = found[0] if found else _UNSET
                    kind = type(value)
                    # An object in place of a documented scalar is given as it is, which is not a slice.
                    if kind is not Slice and kind is not list or field.child is not None or field.is_any:
                        return value
        return self._values.get(vendor, _UNSET)

    def _load(self) -> dict[str, Any]:
        part = self._slice
        if part is None:
            # Another thread has just read them.
            return _get_values(self)
        values = part.values()
        if values is None:
            values = loads(part.text)
        _set_values(self, values)
        _set_slice(self, None)
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


# Past __setattr__ and __getattr__.
_set_schema = Record.__dict__["_schema"].__set__
_set_slice = Record.__dict__["_slice"].__set__
_set_asked = Record.__dict__["_asked"].__set__
_set_values = Record.__dict__["_values"].__set__
_get_values: Callable[[Record], dict[str, Any]] = Record.__dict__["_values"].__get__


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
    for depth in range(field.list_depth):
        convert = _objects_converter(field.child) if field.child is not None and not depth else _list_converter(convert)
    return convert


def _object_converter(schema: Schema) -> Convert:
    kind = CLASSES.get(schema.title, Record)

    def read(value: Any) -> Any:
        return kind(value, schema) if type(value) is dict or type(value) is Slice else wrap(value)

    return read


def _objects_converter(schema: Schema) -> Convert:
    kind = CLASSES.get(schema.title, Record)

    def read(value: Any) -> Any:
        if type(value) is not list:
            return wrap(value)
        return [kind(each, schema) if type(each) is Slice or type(each) is dict else wrap(each) for each in value]

    return read


def _list_converter(convert: Convert | None) -> Convert:
    def read(value: Any) -> Any:
        if type(value) is not list:
            return wrap(value)
        return list(value) if convert is None else [convert(item) for item in value]

    return read
