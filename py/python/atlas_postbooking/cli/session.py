"""What the commands share: the settings, the client, and the question before money moves."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

from . import output

if TYPE_CHECKING:
    from .._client import Client
    from .settings import Settings


class Session:
    """One run of the command line."""

    def __init__(self, settings: Settings, as_json: bool) -> None:
        self.settings = settings
        self.json = as_json

    @cached_property
    def client(self) -> Client:
        from .._client import Client

        self.settings.require()
        return Client(self.settings.values)

    @property
    def stored(self) -> Client:
        """The client, for what needs a store."""
        self.settings.require_store()
        return self.client

    def now(self) -> datetime:
        """The time, by the clock of the configuration."""
        clock: Any = self.settings.values.get("clock") or {}
        text = clock.get("fixed")
        if clock.get("url"):
            import json
            from urllib.request import urlopen

            with urlopen(clock["url"], timeout=10) as answer:
                text = json.load(answer)["now"]
        if text:
            return datetime.fromisoformat(str(text).replace("Z", "+00:00"))
        return datetime.now(timezone.utc)

    def confirm(self, live: bool, what: str, word: str) -> None:
        """Goes on if --live was given, or if the word is typed on a terminal."""
        if live:
            return
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise click.UsageError(f"{what} may move money and cannot be withdrawn: give --live. Nothing was sent.")
        output.note(f"{what} at {self.settings.base_url}: it may move money and cannot be withdrawn.")
        typed = click.prompt(f"Type {word} to go on", default="", show_default=False, err=True)
        if typed.strip() != word:
            raise click.UsageError("not confirmed; nothing was sent.")


def pass_session(command: Callable[..., int]) -> Callable[..., int]:
    """Gives a command the session as its first argument."""
    pass_it: Callable[[Callable[..., int]], Callable[..., int]] = click.make_pass_decorator(Session)
    return pass_it(command)
