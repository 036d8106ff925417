"""The exceptions. All of them derive from :class:`AtlasError`.

The class says how to react; ``outcome`` says whether it happened:

* ``OutcomeUnknown``: it may have happened. Query (``next`` names the operation) before anything else.
* ``AlreadySubmitted``: it happened by an earlier call: this very order is paid already. Not a failure.
* ``CasePending``: a case is not settled yet, and nothing is lost. Open it again with the same key.
* ``NotExecuted``: it provably did not happen. ``Refused`` (the vendor refused it, or has no such order),
  ``TransportError`` (the request did not arrive, or the answer to a read or quote was lost), ``RateLimited``,
  ``AuthError``. The class itself is raised when the answer to a read or quote cannot be understood.
* ``RequestError``, ``ConfigError``, ``GuardError``, ``CaseConflict``: stopped by the library, nothing was sent.
* ``Cancelled``: cancelled before anything was sent.
* ``LibraryError``: a fault of this library or of its store, or a closed client.
"""

from __future__ import annotations

from . import _native
from ._reply import Outcome, Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class AtlasError(Exception):
    """A call that failed. :attr:`outcome` says whether its effect exists all the same."""

    #: The fault, without advice.
    message: str
    #: What happened and what to do now.
    help: str
    #: Stable code: ``timeout``, ``refused``, ``bad_request`` …
    code: str
    #: Stable status number, below zero.
    status: int
    #: Whether it happened.
    outcome: Outcome
    #: ``fix_request``, ``fix_config``, ``requote``, ``wait``, ``reconcile``, ``already_done``, ``give_up``,
    #: ``contact_support``, ``retry``.
    advice: str
    #: The vendor's name of the operation to call next.
    next: str | None
    #: Whether the same call may be repeated without harm.
    retryable: bool
    #: JSON Pointer of the offending field.
    field: str | None
    #: Further faults of a request: ``{"field": …, "message": …}``.
    details: list[dict[str, Any]]
    #: The vendor's code by its name in the status table, as a number, and the vendor's message.
    vendor_code: str | None
    vendor_status: int | None
    vendor_message: str | None
    #: How long the vendor asks to wait before the next request.
    retry_after_ms: int | None
    #: The reply; None if the call failed before it reached the core.
    reply: Reply | None

    def __init__(
        self,
        message: str,
        *,
        help: str = "",
        code: str = "",
        status: int = 0,
        outcome: str = "unknown",
        advice: str = "contact_support",
        next: str | None = None,
        retryable: bool = False,
        field: str | None = None,
        details: list[dict[str, Any]] | None = None,
        vendor_code: str | None = None,
        vendor_status: int | None = None,
        vendor_message: str | None = None,
        retry_after_ms: int | None = None,
        reply: Reply | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.code = code
        self.status = status
        self.outcome = Outcome(outcome)
        self.advice = advice
        self.next = next
        self.retryable = retryable
        self.field = field
        self.details = details or []
        self.vendor_code = vendor_code
        self.vendor_status = vendor_status
        self.vendor_message = vendor_message
        self.retry_after_ms = retry_after_ms
        self.reply = reply

    def __str__(self) -> str:
        # The help text of a fault found before sending contains the message.
        parts = [] if self.message in self.help else [self.message]
        parts += [self.help] if self.help else []
        # The first detail is in the message, unless it says which connection failed.
        first = 0 if self.details and "host" in self.details[0] else 1
        parts += [f"{self._named(each['field'])} {each['message']}" for each in self.details[first:4]]
        text = " ".join(part if part.endswith((".", "!", "?")) else part + "." for part in parts).replace("?.", "?")
        return f"{text} [outcome: {self.outcome}]"

    def _named(self, pointer: str) -> str:
        from ._names import python_path

        return python_path(pointer, "" if self.reply is None else self.reply.operation)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restore, (type(self), self.message, self.__dict__))


def _restore(kind: type[AtlasError], message: str, state: dict[str, Any]) -> AtlasError:
    error = kind(message)
    error.__dict__.update(state)
    return error


class RequestError(AtlasError):
    """The request cannot be sent as it is."""


class ConfigError(AtlasError):
    """The configuration cannot be used."""


class NotExecuted(AtlasError):
    """It provably did not happen."""


class Refused(NotExecuted):
    """The vendor refused it, or has no such order."""


class TransportError(NotExecuted):
    """The request did not reach the vendor, or the answer to a read or quote was lost."""


class RateLimited(NotExecuted):
    """Too many requests."""


class AuthError(NotExecuted):
    """The vendor rejected the credentials, or the account lacks the permission."""


class OutcomeUnknown(AtlasError):
    """It may have happened. Query the vendor before anything else, and do not send it again."""


class CasePending(AtlasError):
    """The case is not settled yet; nothing is lost. Open it again, or follow it."""


class AlreadySubmitted(AtlasError):
    """It happened by an earlier submit, of this or another client."""


class Cancelled(AtlasError):
    """Cancelled before anything was sent."""


class CaseConflict(AtlasError):
    """The key belongs to a case with other content, or another open case holds the order."""


class GuardError(AtlasError):
    """A guard stopped the case before money moved."""


class LibraryError(AtlasError):
    """A fault of this library or of its store, or a closed client."""


#: The core's statuses by name, without the prefix of their C constants.
_STATUSES: dict[str, int] = _native.STATUSES

# HTTP, RESPONSE, TOO_LARGE, UNCERTAIN and IN_PROGRESS have no class of their own: their outcome decides.
_BY_STATUS: dict[int, type[AtlasError]] = {
    _STATUSES[name]: kind
    for kind, names in {
        RequestError: ("NULL", "UTF8", "JSON", "REQUEST", "OPERATION"),
        ConfigError: ("CONFIG",),
        LibraryError: ("HANDLE", "CLOSED", "BUSY", "STORE", "MEMORY", "INTERNAL", "PANIC"),
        TransportError: ("DNS", "CONNECT", "TLS", "PROXY", "TIMEOUT", "IO"),
        Cancelled: ("CANCELLED",),
        RateLimited: ("RATE_LIMITED",),
        AuthError: ("AUTH",),
        Refused: ("REFUSED", "NOT_FOUND"),
        AlreadySubmitted: ("ALREADY",),
        CaseConflict: ("CONFLICT",),
        GuardError: ("GUARD",),
    }.items()
    for name in names
}


def class_of(status: int, outcome: str) -> type[AtlasError]:
    """The exception of a status and an outcome. With an unknown outcome the status does not matter."""
    if outcome == "unknown":
        return OutcomeUnknown
    if outcome == "pending":
        return CasePending
    known = _BY_STATUS.get(status)
    if known is not None and (outcome != "executed" or not issubclass(known, (NotExecuted, Cancelled))):
        return known
    return NotExecuted if outcome == "not_executed" else AtlasError


def error_of(reply: Reply) -> AtlasError:
    """The exception of a failed reply. Its texts have Python's names; ``field`` and ``reply`` are as the core gives them."""
    error: dict[str, Any] = reply._whole["error"]
    if error["status"] in (_STATUSES["REQUEST"], _STATUSES["CONFIG"]):
        pointers = [error["field"], *(each["field"] for each in error["details"])]

        def named(text: str) -> str:
            from ._names import python_names

            return python_names(text, reply.operation, pointers)

        details = [{**each, "message": named(each["message"])} for each in error["details"]]
        error = {**error, "message": named(error["message"]), "help": named(error["help"]), "details": details}
    return class_of(reply._source.status, reply._source.outcome)(
        error["message"],
        help=error["help"],
        code=error["code"],
        status=error["status"],
        outcome=reply._source.outcome,
        advice=error["advice"],
        next=error["next"],
        retryable=error["retryable"],
        field=error["field"],
        details=error["details"],
        vendor_code=error["vendorCode"],
        vendor_status=error["vendorStatus"],
        vendor_message=error["vendorMessage"],
        retry_after_ms=error["retryAfterMs"],
        reply=reply,
    )


def bad_request(message: str, field: str) -> RequestError:
    """The exception of a request that cannot be written as JSON."""
    from ._names import python_names

    message = python_names(message, "", [field])
    return RequestError(
        message,
        help=f"Nothing was sent: {message}.",
        code="bad_request",
        status=_STATUSES["REQUEST"],
        outcome="not_executed",
        advice="fix_request",
        field=field,
        details=[{"field": field, "message": message}],
    )


def bad_config(refused: RequestError) -> ConfigError:
    """The exception of a configuration that cannot be written as JSON."""
    return ConfigError(
        refused.message.replace("the request", "the configuration"),
        help=refused.help.replace("the request", "the configuration"),
        code="bad_config",
        status=_STATUSES["CONFIG"],
        outcome="not_executed",
        advice="fix_config",
        field=refused.field,
        details=refused.details,
    )


def closed() -> LibraryError:
    """The exception of a call on a closed client."""
    return LibraryError(
        "the client is closed",
        help="Nothing was sent: the client is closed.",
        code="closed",
        status=_STATUSES["CLOSED"],
        outcome="not_executed",
        advice="fix_request",
    )


def panicked(operation: str, text: str, has_effect: bool) -> AtlasError:
    """The exception of a panic in the core. Whether a submit was sent is then unknown."""
    return (OutcomeUnknown if has_effect else LibraryError)(
        f"the library panicked: {text}",
        help=f"The {operation} may have been accepted; ask the vendor before anything else."
        if has_effect
        else "This is a fault of the library: please report it.",
        code="panic",
        status=_STATUSES["PANIC"],
        outcome="unknown" if has_effect else "not_executed",
        advice="reconcile" if has_effect else "contact_support",
    )
