"""What ``repr`` and notebooks show of a reply: money, states and times, never a passenger or a secret."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from ._schema import Schema

#: Texts that are shown; all other texts may be about a person.
_TEXTS = frozenset(
    "orderNo ticketOrderNo kind via outcome state currency key id voidOfferId refundOfferId offerId voidCode refundCode "
    "code better deadlineSource strength dedupeKey hint requestId voidMethod refundMethod quoteType method".split()
)
#: Dates that are about a person or a card.
_PERSONAL = frozenset({"birthday", "cardExpired"})


def shown(values: Mapping[str, Any], schema: Schema) -> list[tuple[str, str]]:
    """The fields to show, as pairs of attribute and text. Objects and lists are named, with their size."""
    pairs: list[tuple[str, str]] = []
    for attribute, name in schema.attributes.items():
        value = values.get(name)
        field = schema.fields.get(name)
        if value is None or field is None or name in _PERSONAL:
            continue
        text = _text(name, value)
        if text:
            pairs.append((attribute, text))
    return pairs


def _text(name: str, value: Any) -> str:
    if isinstance(value, (Decimal, bool, int)):
        return str(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, str):
        return value if name in _TEXTS else ""
    if isinstance(value, list):
        return f"[{len(value)}]"
    return "{…}" if isinstance(value, Mapping) else ""


def line(title: str, pairs: Iterable[tuple[str, str]]) -> str:
    """One line for ``repr``."""
    inner = ", ".join(f"{name}={text}" for name, text in pairs)
    return f"<{title}: {inner}>" if inner else f"<{title}>"


def table(title: str, pairs: Iterable[tuple[str, str]]) -> str:
    """A table for notebooks."""
    # Imported here because only notebooks need it.
    from html import escape

    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in pairs)
    return f"<table><caption>{escape(title)}</caption><tbody>{rows}</tbody></table>"
