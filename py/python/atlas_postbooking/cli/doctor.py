"""``doctor``: configuration, name, connection, TLS, clock, credentials, store: what works, what does not, and why."""

from __future__ import annotations

import os
import socket
import ssl
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import click

from .. import _native
from . import output
from .session import Session, pass_session

#: A clock that is wrong by more than this makes times of offers and deadlines wrong.
_CLOCK_LIMIT_S = 30
_CERTIFICATE_DAYS = 14


@dataclass
class Finding:
    """One thing that was tried."""

    name: str
    #: ok, bad, or skipped.
    result: str
    what: str
    #: What to do.
    help: str = ""


class _Skipped(Exception):
    """What cannot be tried here."""


class _Bad(Exception):
    """What does not work, and what to do."""

    def __init__(self, what: str, help: str = "") -> None:
        super().__init__(what)
        self.help = help


@click.command()
@pass_session
def doctor(session: Session) -> int:
    """Try each part by itself. Sends one read (the balance), and no request that changes anything."""
    findings = list(_findings(session))
    bad = [each for each in findings if each.result == "bad"]
    if session.json:
        output.document({"ok": not bad, "findings": [vars(each) for each in findings]})
    else:
        output.table(("part", "", "what", "what to do"), [(f.name, f.result, f.what, f.help) for f in findings])
    if any(each.name == "configuration" for each in bad):
        return output.USAGE
    return output.NOT_EXECUTED if bad else output.DONE


def _findings(session: Session) -> Iterator[Finding]:
    parts: tuple[tuple[str, Callable[[Session], str]], ...] = (
        ("version", _version), ("configuration", _configuration), ("secret", _secret), ("DNS", _dns), ("connection", _connection),
        ("TLS", _tls), ("clock", _clock), ("credentials", _credentials), ("store", _store), ("follow-up", _follow_up),
    )  # fmt: skip
    failed: set[str] = set()
    needs = {"connection": "DNS", "TLS": "connection", "clock": "connection", "credentials": "connection", "follow-up": "store"}
    for name, try_it in parts:
        before = "configuration" if "configuration" in failed and name not in ("version", "secret") else needs.get(name, "")
        if before in failed:
            failed.add(name)
            yield Finding(name, "skipped", f"needs {before}")
            continue
        try:
            yield Finding(name, "ok", try_it(session))
        except _Skipped as why:
            yield Finding(name, "skipped", str(why))
        except _Bad as bad:
            failed.add(name)
            yield Finding(name, "bad", str(bad), bad.help)


def _version(_: Session) -> str:
    import platform

    return f"atlas-postbooking {_native.VERSION}, Python {platform.python_version()}, {platform.machine()}"


def _configuration(session: Session) -> str:
    from .._errors import AtlasError

    try:
        session.settings.require()
        _ = session.client
    except click.UsageError as fault:
        raise _Bad(fault.message, "see atlas-postbooking --help") from None
    except AtlasError as fault:
        # A store that cannot be opened is its own part.
        if not fault.code.startswith("store_"):
            raise _Bad(fault.message, fault.help) from None
    keys: dict[str, list[str]] = {}
    for key, source in sorted(session.settings.sources.items()):
        keys.setdefault(source, []).append(key)
    return "; ".join(f"{', '.join(names)} from {source}" for source, names in keys.items())


def _secret(session: Session) -> str:
    source = session.settings.sources.get("clientSecret", "")
    if not source:
        raise _Skipped("none is configured")
    path = source.removeprefix("file ")
    if source.startswith("$"):
        return f"from {source}; a file that only this user can read is better kept"
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    except OSError as fault:
        raise _Bad(f"{path}: {fault.strerror}") from None
    if mode & 0o077:
        raise _Bad(f"{path} has mode {mode:o}: others can read it", f"chmod 600 {path}")
    return f"{source}, mode {mode:o}"


def _url(session: Session) -> tuple[SplitResult, str, int]:
    url = urlsplit(session.settings.base_url)
    if session.settings.values.get("proxy"):
        raise _Skipped("a proxy is configured: it resolves and connects")
    return url, url.hostname or "", url.port or (443 if url.scheme == "https" else 80)


def _dns(session: Session) -> str:
    _, host, port = _url(session)
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError as fault:
        raise _Bad(f"{host} is not found: {fault.strerror}", "check baseUrl and the resolver (/etc/resolv.conf)") from None
    return f"{host} is {', '.join(sorted(found))}"


def _connection(session: Session) -> str:
    _, host, port = _url(session)
    try:
        socket.create_connection((host, port), 5).close()
    except OSError as fault:
        why = fault.strerror or str(fault) or type(fault).__name__
        raise _Bad(f"{host}:{port}: {why}", "check firewall and port; a proxy is set by `proxy`") from None
    return f"{host}:{port} accepts"


def _context(session: Session) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if session.settings.values.get("caFile"):
        context.load_verify_locations(str(session.settings.values["caFile"]))
    return context


def _tls(session: Session) -> str:
    url, host, port = _url(session)
    if url.scheme != "https":
        raise _Skipped("http, on loopback")
    try:
        with socket.create_connection((host, port), 5) as plain, _context(session).wrap_socket(plain, server_hostname=host) as secure:
            certificate, version = secure.getpeercert() or {}, secure.version()
    except (OSError, ValueError) as fault:
        raise _Bad(f"{host}:{port}: {fault}", "an inspecting proxy needs its CA in caFile") from None
    days = (ssl.cert_time_to_seconds(str(certificate["notAfter"])) - datetime.now(timezone.utc).timestamp()) / 86400
    if days < _CERTIFICATE_DAYS:
        raise _Bad(f"the certificate ends in {days:.0f} days", "tell Atlas, or who runs the proxy")
    return f"{version}, the certificate is valid for {days:.0f} days"


def _clock(session: Session) -> str:
    url, host, port = _url(session)
    if session.settings.values.get("clock"):
        raise _Skipped("the configuration has a clock of its own")
    connection: HTTPConnection
    if url.scheme == "https":
        connection = HTTPSConnection(host, port, timeout=10, context=_context(session))
    else:
        connection = HTTPConnection(host, port, timeout=10)
    try:
        connection.request("HEAD", url.path or "/")
        date = connection.getresponse().headers.get("Date")
    except (OSError, HTTPException) as fault:
        raise _Skipped(f"the server's time is not known: {fault}") from None
    finally:
        connection.close()
    if not date:
        raise _Skipped("the server sends no date")
    off = (datetime.now(timezone.utc) - parsedate_to_datetime(date)).total_seconds()
    if abs(off) > _CLOCK_LIMIT_S:
        raise _Bad(f"this machine is {abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} the server", "synchronise it (timedatectl)")
    return f"within {max(1, round(abs(off)))} s of the server's"


def _credentials(session: Session) -> str:
    from .._errors import AtlasError, LibraryError

    try:
        session.client.balance()
    except LibraryError as fault:
        raise _Skipped(f"the client cannot be opened: {fault.message}") from None
    except AtlasError as fault:
        raise _Bad(fault.message, fault.help) from None
    return f"accepted: clientId …{str(session.settings.values['clientId'])[-4:]} can read its balance"


def _store(session: Session) -> str:
    from .._errors import AtlasError

    if not session.settings.values.get("store"):
        raise _Skipped("none is configured: cases are not possible")
    path = session.settings.store_path
    try:
        stats = session.client.case_stats()
    except AtlasError as fault:
        raise _Bad(fault.message, fault.help) from None
    if path is not None and not os.access(path.parent, os.W_OK):
        raise _Bad(f"{path.parent} cannot be written", "the store needs its companions beside it")
    free = "" if path is None else f", {_free(path.parent)} free"
    return f"{path or 'on a server'}: {stats.open} open, {stats.unknown} unknown, {stats.stuck} stuck{free}"


def _free(directory: Path) -> str:
    import shutil

    return f"{shutil.disk_usage(directory).free / 1e9:.1f} GB"


def _follow_up(session: Session) -> str:
    """Whether somebody asks about what is due."""
    if not session.settings.values.get("store"):
        raise _Skipped("no store")
    now = session.now()
    due = [case.next_due_at for case in session.client.cases.list(open=True) if case.next_due_at and case.state != "planned"]
    late = [at for at in due if (now - at).total_seconds() > 600]
    if late:
        hours = (now - min(late)).total_seconds() / 3600
        raise _Bad(f"{len(late)} cases have been due for up to {hours:.1f} h", "is `atlas-postbooking follow` running?")
    return f"{len(due)} cases have a next question, none is late"
