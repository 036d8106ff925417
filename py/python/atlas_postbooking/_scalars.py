"""JSON values to Python values: amounts to ``Decimal``, times to ``date`` and ``datetime``.

A value that does not fit its documented format is returned unchanged, so that one unexpected field does not make the
rest of a reply unreadable.
"""

from __future__ import annotations

from collections.abc import Callable

# What a first call does not need is imported where it is used.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

Convert = Callable[["Any"], "Any"]


def _decimal(value: Any) -> Any:
    from decimal import Decimal, InvalidOperation

    try:
        return Decimal(value) if type(value) is str else value
    except InvalidOperation:
        return value


def _date(value: Any) -> Any:
    # date.fromisoformat() of Python 3.11 and later also reads "20250522" and "2025-W01-1".
    if type(value) is not str or len(value) != 10 or value[4] != "-" or value[7] != "-":
        return value
    from datetime import date

    try:
        return date.fromisoformat(value)
    except ValueError:
        return value


def _datetime(value: Any) -> datetime | None:
    if type(value) is not str or len(value) < 16 or value[10] != "T":
        return None
    from datetime import datetime

    text = value[:-1] + "+00:00" if value[-1] == "Z" else value
    if text[19:20] == ".":
        # datetime.fromisoformat() of Python 3.10 reads fractions of exactly three or six digits.
        digits = len(text[20:]) - len(text[20:].lstrip("0123456789"))
        text = text[:20] + text[20 : 20 + digits][:6].ljust(6, "0") + text[20 + digits :]
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _instant(value: Any) -> Any:
    moment = _datetime(value)
    return value if moment is None or moment.tzinfo is None else moment


def _local_time(value: Any) -> Any:
    moment = _datetime(value)
    return value if moment is None or moment.tzinfo is not None else moment


#: By ``format`` of the JSON Schema of a field.
SCALARS: dict[str, Convert] = {
    "decimal": _decimal,
    "date": _date,
    "date-time": _instant,
    "local-date-time": _local_time,
}


def _integer(token: str) -> Any:
    try:
        return int(token)
    except ValueError:
        # int() refuses more than 4300 digits.
        return _fraction(token)


def _fraction(token: str) -> Any:
    from decimal import Decimal, InvalidOperation

    try:
        return Decimal(token)
    except InvalidOperation:
        return token


_decoders: list[Callable[[str], Any]] = []


def loads(text: str) -> Any:
    """JSON without floats: numbers are ``int`` or ``Decimal``, or text if they are neither."""
    if not _decoders:
        from decimal import Decimal
        from json import JSONDecoder

        any_number = JSONDecoder(parse_float=_fraction, parse_int=_integer)
        _decoders[:] = [JSONDecoder(parse_float=Decimal).decode, any_number.decode]
    try:
        return _decoders[0](text)
    except (ValueError, ArithmeticError):
        return _decoders[1](text)
