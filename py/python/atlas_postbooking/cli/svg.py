"""Plots as inline SVG: bars, and a time axis. No script, no address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape

_WIDTH, _LABEL, _BAR, _GAP = 640, 150, 20, 8


def bars(title: str, rows: Sequence[tuple[str, float, str]], tones: Sequence[str] = ()) -> str:
    """Horizontal bars: label, length, and the text behind it. ``tones`` are classes of the bars."""
    if not rows:
        return ""
    height = len(rows) * (_BAR + _GAP) + _GAP
    longest = max(value for _, value, _ in rows) or 1
    room = _WIDTH - _LABEL - 110
    parts = [_head(title, height)]
    for i, (label, value, text) in enumerate(rows):
        y = _GAP + i * (_BAR + _GAP)
        length = round(value / longest * room, 1)
        tone = tones[i] if i < len(tones) else "calm"
        parts.append(f'<text x="{_LABEL - 8}" y="{y + 15}" text-anchor="end">{escape(label)}</text>')
        parts.append(f'<rect class="{tone}" x="{_LABEL}" y="{y}" width="{max(length, 1) if value else 0}" height="{_BAR}" rx="2"/>')
        parts.append(f'<text x="{_LABEL + length + 8}" y="{y + 15}">{escape(text)}</text>')
    return "".join(parts) + "</svg>"


def dots(title: str, rows: Sequence[tuple[datetime, str, str]], now: datetime) -> str:
    """One dot for each moment on an axis of time that ends now: when, class, and what is said of it."""
    if not rows:
        return ""
    height, left, right, y = 110, 20, _WIDTH - 20, 66
    first = min(at for at, _, _ in rows)
    span = max(now - first, timedelta(hours=1))
    parts = [_head(title, height), f'<line class="axis" x1="{left}" y1="{y + 12}" x2="{right}" y2="{y + 12}"/>']
    for i in range(5):
        at = now - span * (4 - i) / 4
        anchor = ("start", "middle", "middle", "middle", "end")[i]
        text = f"{at:%d %b %H:%M}" if span < timedelta(days=10) else f"{at:%d %b %Y}"
        parts.append(f'<text x="{left + (right - left) * i / 4:.0f}" y="{y + 32}" text-anchor="{anchor}">{text}</text>')
    taken: dict[int, int] = {}
    for at, tone, text in sorted(rows):
        x = left + (right - left) * min(max(1 - (now - at) / span, 0), 1)
        # What falls on one place is piled up, as high as there is room.
        level = taken[round(x / 9)] = taken.get(round(x / 9), -1) + 1
        parts.append(f'<circle class="{tone}" cx="{x:.1f}" cy="{y - min(level, 5) * 11}" r="5"><title>{escape(text)}</title></circle>')
    return "".join(parts) + "</svg>"


def _head(title: str, height: int) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img" aria-label="{escape(title)}"><title>{escape(title)}</title>'
