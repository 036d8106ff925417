"""Where the configuration of the command line comes from: options, the environment, a file. Secrets are no options,
because other users see the command lines of all processes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

#: Variable of the environment, by configuration key. Keys with a point are members of an object.
VARIABLES = {
    "baseUrl": "ATLAS_BASE_URL",
    "clientId": "ATLAS_CLIENT_ID",
    "clientSecret": "ATLAS_CLIENT_SECRET",
    "clientSecretFile": "ATLAS_CLIENT_SECRET_FILE",
    "account": "ATLAS_ACCOUNT",
    "caFile": "ATLAS_CA_FILE",
    "proxy": "ATLAS_PROXY",
    "store.path": "ATLAS_STORE",
    "store.witnessFile": "ATLAS_STORE_WITNESS",
}


@dataclass
class Settings:
    """A configuration, and where each of its keys came from."""

    values: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)
    sources: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def base_url(self) -> str:
        return str(self.values.get("baseUrl", ""))

    @property
    def store_path(self) -> Path | None:
        given: Any = self.values.get("store")
        store: dict[str, Any] = given if isinstance(given, dict) else {}
        path = store.get("path")
        return None if path is None else Path(str(path))

    def require(self) -> None:
        """Raises a usage error for what every call needs and is not given."""
        missing = [key for key in ("baseUrl", "clientId", "clientSecret") if not self.values.get(key)]
        if missing:
            names = ", ".join(VARIABLES[key] for key in missing)
            more = " or ATLAS_CLIENT_SECRET_FILE" if "clientSecret" in missing else ""
            raise click.UsageError(f"not configured: {names}{more}. Set them in the environment, or in a file named by --config.")

    def require_store(self) -> None:
        if not self.values.get("store"):
            raise click.UsageError("no store is configured: give --store PATH, ATLAS_STORE, or a store in the --config file")


def read(config: str | None, options: Mapping[str, str | None], environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings; an option counts more than the environment, and that more than the file."""
    settings = Settings()
    config = config or environment.get("ATLAS_CONFIG")
    if config:
        for key, value in _file(Path(config)).items():
            _put(settings, key, value, config)
    for key, variable in VARIABLES.items():
        if environment.get(variable):
            _put(settings, key, environment[variable], f"${variable}")
    for key, value in options.items():
        if value is not None:
            _put(settings, key, value, "option")
    _read_secret(settings)
    return settings


def _put(settings: Settings, key: str, value: Any, source: str) -> None:
    if key in ("clientSecret", "clientSecretFile"):
        # One replaces the other.
        for each in ("clientSecret", "clientSecretFile"):
            settings.values.pop(each, None)
            settings.sources.pop(each, None)
    outer, _, inner = key.partition(".")
    if inner:
        store = settings.values.get(outer)
        settings.values[outer] = {**(store if isinstance(store, dict) else {}), inner: value}
    else:
        settings.values[key] = value
    settings.sources[key] = source


def _file(path: Path) -> dict[str, Any]:
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as fault:
        raise click.UsageError(f"the configuration {path} cannot be read: {fault.strerror}") from None
    except ValueError as fault:
        raise click.UsageError(f"the configuration {path} is no JSON: {fault}") from None
    if not isinstance(values, dict):
        raise click.UsageError(f"the configuration {path} must be a JSON object")
    return {_camel(str(key)): value for key, value in values.items()}


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def _read_secret(settings: Settings) -> None:
    name = settings.values.pop("clientSecretFile", None)
    if name is None:
        return
    try:
        secret = Path(str(name)).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as fault:
        why = getattr(fault, "strerror", None) or "it is no text"
        raise click.UsageError(f"the secret's file {name} cannot be read: {why}") from None
    if not secret:
        raise click.UsageError(f"the secret's file {name} is empty")
    settings.values["clientSecret"] = secret
    settings.sources["clientSecret"] = f"file {name}"
