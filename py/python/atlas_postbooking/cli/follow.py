"""``follow``: asks the vendor about open cases when they are due; a daemon that ends cleanly at SIGTERM."""

from __future__ import annotations

import os
import select
import shutil
import signal
import sys
import time
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from . import output
from .session import Session, pass_session
from .times import stamp

if TYPE_CHECKING:
    from ..replies import Case

UNIT = """\
[Unit]
Description=Follow-up of Atlas cases
Wants=network-online.target
After=network-online.target

[Service]
ExecStart={program} follow
# The secret is a file that only this service can read, named by ATLAS_CLIENT_SECRET_FILE.
LoadCredential=atlas-secret:/etc/atlas-postbooking/secret
Environment=ATLAS_CLIENT_SECRET_FILE=%d/atlas-secret
Environment=ATLAS_BASE_URL={base_url}
Environment=ATLAS_CLIENT_ID={client_id}
Environment=ATLAS_STORE={store}
User={user}
Restart=on-failure
RestartSec=10
# Usage or configuration: to start it again changes nothing.
RestartPreventExitStatus=2
KillSignal=SIGTERM
TimeoutStopSec=30
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
ReadWritePaths={directory}

[Install]
WantedBy=multi-user.target
"""


@click.command()
@click.option("--until-done", is_flag=True, help="End when no case is open.")
@click.option("--every", type=click.FloatRange(0.05, 3600), default=1.0, show_default=True, metavar="SECONDS", help="Length of a step: how soon it ends when told to.")
@click.option("--systemd-unit", is_flag=True, help="Print a unit file for this, and end.")
@pass_session
def follow(session: Session, until_done: bool, every: float, systemd_unit: bool) -> int:
    """Ask Atlas about open cases when they are due, until SIGTERM or Ctrl-C. Submits nothing.

    One line for each case that changed; with --json a document for each.
    """
    if systemd_unit:
        output.say(_unit(session).rstrip())
        return output.DONE
    client = session.stored
    with _Stop() as stop:
        listed = client.cases.list(changed_since=0)
        last = {case.id: (case.outcome, case.state) for case in listed}
        since = listed.next_change or 0
        output.note(f"following {sum(1 for _ in client.cases.list(open=True))} open cases")
        while not stop.signal:
            started = time.monotonic()
            # It waits for what becomes due, and returns at once if nothing will.
            progress = client.case_follow(all=True, until="final", timeout_ms=round(every * 1000))
            changed = client.cases.list(changed_since=since)
            for case in changed:
                now = (case.outcome, case.state)
                if last.get(case.id) != now:
                    _tell(session, case)
                last[case.id] = now
            since = changed.next_change or since
            if until_done and progress.open == 0:
                break
            stop.wait(every - (time.monotonic() - started))
        output.note("stopped" if stop.signal else "no case is open")
        return output.INTERRUPTED if stop.signal == signal.SIGINT else output.DONE


def _tell(session: Session, case: Case) -> None:
    if session.json:
        output.document(case)
    else:
        code = f", code {case.code}" if case.code else ""
        output.say(f"{stamp(case.updated_at)}  {case.key}: {case.outcome}, {case.state}{code}")
    # A service's output is a pipe.
    sys.stdout.flush()


class _Stop:
    """SIGTERM and Ctrl-C as a wish to end: the step under way is finished. A second one ends at once."""

    def __init__(self) -> None:
        self.signal = 0
        self._read, self._write = os.pipe()
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _Stop:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._asked)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._read)
        os.close(self._write)

    def _asked(self, number: int, _: FrameType | None) -> None:
        self.signal = number
        os.write(self._write, b"!")
        signal.signal(number, self._before[number])

    def wait(self, seconds: float) -> None:
        """Waits, unless it is told to end."""
        select.select([self._read], [], [], max(0.0, seconds))


def _unit(session: Session) -> str:
    session.settings.require_store()
    path = session.settings.store_path
    if path is None:
        raise click.UsageError("the unit file is for a store in a file")
    import getpass

    path = path.resolve()
    program = shutil.which(sys.argv[0]) or f"{sys.executable} -m atlas_postbooking.cli"
    values = session.settings.values
    return UNIT.format(
        program=os.path.abspath(program) if os.sep in program and " " not in program else program,
        base_url=values.get("baseUrl", "https://…"), client_id=values.get("clientId", "…"), store=path, directory=path.parent,
        user=getpass.getuser(),
    )  # fmt: skip
