"""Times for people: always with their zone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

#: The vendor's own time.
_SINGAPORE = timezone(timedelta(hours=8))


def stamp(at: datetime | None) -> str:
    """An instant in UTC, and in Singapore, where Atlas works."""
    if at is None:
        return "-"
    return f"{at.astimezone(timezone.utc):%Y-%m-%d %H:%M:%S} UTC ({at.astimezone(_SINGAPORE):%H:%M:%S} in Singapore)"


def short(at: datetime | None) -> str:
    """An instant in a table."""
    return "" if at is None else f"{at.astimezone(timezone.utc):%Y-%m-%d %H:%M}Z"


def ago(age: timedelta) -> str:
    """A duration by its largest unit: ``5 d``, ``3 h``, ``12 min``."""
    seconds = max(0, int(age.total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
