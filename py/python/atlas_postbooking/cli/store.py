"""``store``: is it whole, a copy of it, and a person's word about a store that was put back."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import output
from .session import Session, pass_session
from .times import stamp

if TYPE_CHECKING:
    from ..requests import StoreSource


@click.group()
def store() -> None:
    """The store of cases."""


@store.command()
@pass_session
def check(session: Session) -> int:
    """Read the whole store: its rows, its rights, its witness. Exit code 1 if something is wrong."""
    faults: list[str] = []
    path = session.settings.store_path
    if path is not None and not path.exists():
        raise click.UsageError(f"there is no store at {path}")
    # Looked at before the library opens it, which takes the rights of others away.
    mode = 0 if path is None else stat.S_IMODE(path.stat().st_mode)
    client = session.stored
    stats = client.case_stats()
    rows: list[tuple[str, object]] = [
        ("store", path or "on a server"), ("open, unknown, stuck", f"{stats.open}, {stats.unknown}, {stats.stuck}"),
        ("cases", sum(1 for _ in client.cases.list())), ("oldest open", stamp(stats.oldest) if stats.oldest else None),
        ("paused until", stamp(stats.paused_until) if stats.paused_until else None),
    ]  # fmt: skip
    if path is not None:
        if mode & 0o077:
            faults.append(f"{path} had mode {mode:o}: others could read it")
        rows.append(("mode", f"{mode:o}"))
        given = session.settings.values["store"].get("witnessFile")
        witness = Path(str(given)) if given else path.with_name(f"{path.name}-witness")
        if not witness.exists():
            rows.append(("witness", f"{witness}: none yet, nothing was sent"))
        else:
            rows.append(("witness", witness))
            if witness.parent.resolve() == path.parent.resolve():
                rows.append(("", "in the folder of the store: a folder that is put back takes both; see witnessFile"))
        whole = _integrity(client, path)
        rows.append(("copy read by SQLite", whole))
        if whole not in ("ok", "not read: no sqlite3 here"):
            faults.append(f"SQLite says: {whole}")
    if session.json:
        output.document({"ok": not faults, "faults": faults, **{name: str(value) for name, value in rows if name and value is not None}})
    else:
        output.pairs(rows)
        output.say("whole" if not faults else "\n".join(faults))
    return output.NOT_EXECUTED if faults else output.DONE


def _integrity(client: Any, path: Path) -> str:
    """What SQLite says about a copy: the file itself is read by the library only."""
    try:
        import sqlite3
    except ImportError:
        return "not read: no sqlite3 here"
    # Beside the store, since it may be larger than the disk of /tmp.
    with tempfile.TemporaryDirectory(prefix=".check-", dir=path.parent) as directory:
        copy = Path(directory) / "copy.db"
        client.case_backup(path=str(copy))
        opened = sqlite3.connect(f"file:{copy}?mode=ro", uri=True)
        try:
            return str(opened.execute("PRAGMA integrity_check").fetchone()[0])
        except sqlite3.DatabaseError as fault:
            return str(fault)
        finally:
            opened.close()


@store.command()
@click.argument("path", type=click.Path(path_type=Path))
@pass_session
def backup(session: Session, path: Path) -> int:
    """Copy the store to PATH while it is in use. The copy opens as rewound, until `store confirm`."""
    reply = session.stored.case_backup(path=os.path.abspath(path))
    if session.json:
        output.say(reply.json)
    else:
        output.say(f"copied to {path}, {path.stat().st_size:,} bytes")
    return output.DONE


@store.command("import")
@click.argument("source")
@click.option("--witness", type=click.Path(), help="The witness of SOURCE, if it is not beside it.")
@click.option("--password-file", type=click.Path(exists=True, path_type=Path), help="Of a server's user: its first line.")
@click.option("--ca-file", type=click.Path(exists=True), help="Root certificates of a server.")
@click.option("--dry-run", is_flag=True, help="Only say what would be moved.")
@pass_session
def import_(session: Session, source: str, witness: str | None, password_file: Path | None, ca_file: str | None, dry_run: bool) -> int:
    """Move all accounts of SOURCE, a file or postgres://…, into the configured store.

    Nothing is written to SOURCE afterwards. Interrupted, run it again.
    """
    password = password_file.read_text().split("\n", 1)[0] if password_file else None
    given: StoreSource = {"ca_file": ca_file, "password": password}
    if source.startswith(("postgres://", "postgresql://")):
        given["url"] = source
    else:
        given["path"], given["witness_file"] = os.path.abspath(source), os.path.abspath(witness) if witness else None
    reply = session.stored.case_import(from_=given, dry_run=dry_run)
    if session.json:
        output.say(reply.json)
    elif reply.done and not reply.imported:
        output.say("nothing to do: it was moved before")
    else:
        accounts = ", ".join(reply.accounts or [])
        output.say(f"{'would move' if dry_run else 'moved'} {reply.cases} cases and {reply.purged_keys} keys of purged ones: {accounts}")
    return output.DONE


@store.command()
@click.option("--by", help="Who decides: a name.")
@click.option("--evidence", help="What was looked for, and where.")
@pass_session
def confirm(session: Session, by: str | None, evidence: str | None) -> int:
    """Say that what a store which was put back does not know was looked for. Then it sends again.

    First: `cases reconcile --all`, and a comparison with the vendor's lists.
    """
    if not session.json and sys.stdin.isatty():
        by = by or click.prompt("Your name", err=True)
        evidence = evidence or click.prompt("What did you look for, and where", err=True)
    if not by or not evidence:
        raise click.UsageError("give --by and --evidence")
    reply = session.stored.case_confirm_store(by=by, evidence=evidence)
    output.say(reply.json if session.json else "confirmed; the store sends again")
    return output.DONE
