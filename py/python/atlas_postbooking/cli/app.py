"""The program: its options, its commands, and how it ends."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import click

from .._native import VERSION
from . import output, settings
from .session import Session

#: Module and command, and the line of the help, by name: a module is imported when its command is run.
_COMMANDS = {
    "orders": ("orders:orders", "Orders: list, show with refunds, voids and cases."),
    "plan": ("submits:plan", "Compare what a void and a refund would give back."),
    "refund": ("submits:refund", "Refund an order, or some of its passengers."),
    "void": ("submits:void", "Void an order."),
    "cancel": ("submits:cancel", "Void an order while that is possible, else refund it."),
    "bag": ("submits:bag", "Buy baggage or other extras for a ticketed order."),
    "regenerate": ("submits:regenerate", "Rebuild an order that failed."),
    "stop": ("submits:stop", "Stop the ticketing of an order."),
    "claim": ("submits:claim", "Make an order of a booking from elsewhere."),
    "bulk": ("bulk:bulk", "Many of these, from a CSV file; resumes."),
    "cases": ("cases:cases", "Cases: list, changes, show, reconcile, resolve, export, report."),
    "follow": ("follow:follow", "Follow open cases, as a daemon."),
    "webhook": ("webhook:webhook", "Receive the vendor's notifications."),
    "store": ("store:store", "The store: check, backup, confirm."),
    "doctor": ("doctor:doctor", "What works, what does not, and why."),
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(f".{module}", __package__), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--config", metavar="FILE", help="Configuration as JSON; also ATLAS_CONFIG.")
@click.option("--base-url", help="Also ATLAS_BASE_URL.")
@click.option("--client-id", help="Also ATLAS_CLIENT_ID.")
@click.option("--secret-file", metavar="FILE", help="File with the secret; also ATLAS_CLIENT_SECRET_FILE, or the secret in ATLAS_CLIENT_SECRET.")
@click.option("--store", metavar="PATH", help="The store of cases; also ATLAS_STORE.")
@click.option("--account", help="Whose cases these are; also ATLAS_ACCOUNT.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of tables.")
@click.version_option(VERSION, message="%(version)s")
@click.pass_context
def app(
    ctx: click.Context, config: str | None, base_url: str | None, client_id: str | None, secret_file: str | None,
    store: str | None, account: str | None, as_json: bool,
) -> None:  # fmt: skip
    """What comes after ticketing with Atlas: refunds, voids, extras, and what became of them.

    Exit codes: 0 executed, or a read that worked; 1 not executed; 2 usage or configuration; 3 pending; 4 unknown;
    130 interrupted. Of many, the worst.
    """
    options = {
        "baseUrl": base_url, "clientId": client_id, "clientSecretFile": secret_file, "store.path": store,
        "account": account,
    }  # fmt: skip
    ctx.obj = Session(settings.read(config, options), as_json)


def run(arguments: Sequence[str]) -> int:
    """Runs a command line; gives the exit code."""
    from .._errors import AtlasError

    as_json = "--json" in arguments
    try:
        code: Any = app.main(list(_json_first(arguments)), prog_name="atlas-postbooking", standalone_mode=False)
        return code if isinstance(code, int) else output.DONE
    except click.ClickException as fault:
        fault.show()
        return output.USAGE
    except (click.Abort, KeyboardInterrupt) as fault:
        cause = fault if isinstance(fault, KeyboardInterrupt) else fault.__cause__
        output.note("\n".join(["interrupted", *getattr(cause, "__notes__", [])]))
        return output.INTERRUPTED
    except AtlasError as error:
        report(error, as_json)
        return output.error_code(error)


def _json_first(arguments: Sequence[str]) -> list[str]:
    """--json is taken in every place."""
    before, mark, after = (list(arguments), [], [])
    if "--" in before:
        at = before.index("--")
        before, mark, after = before[:at], ["--"], before[at + 1 :]
    rest = [each for each in before if each != "--json"]
    return (["--json"] if len(rest) < len(before) else []) + rest + mark + after


def report(error: Any, as_json: bool) -> None:
    """An exception, for people on stderr or for programs on stdout."""
    if not as_json:
        output.note(f"{type(error).__name__}: {error}")
    elif error.reply is not None:
        output.say(error.reply.json)
    else:
        fault = {"code": error.code, "message": error.message, "help": error.help, "advice": error.advice}
        output.document({"ok": False, "outcome": str(error.outcome), "data": None, "error": fault})
