"""The exceptions. All of them derive from :class:`AtlasError`.

Which class it is says what to do; ``outcome`` says whether it happened:

* ``OutcomeUnknown``: it may have happened. Ask (``next`` names the operation) before anything else.
* ``AlreadySubmitted``: it happened before, by somebody. Not a failure.
* ``NotExecuted``: it provably did not happen. ``Refused`` (the vendor said no, or knows nothing of it),
  ``TransportError`` (it never got there, or a read was lost), ``RateLimited``, ``AuthError``. The plain
  class stands for answers that make no sense on a read or quote: no effect, but no answer either.
* ``RequestError``, ``ConfigError``, ``GuardError``, ``CaseConflict``: stopped here, nothing was sent.
* ``Cancelled``: cancelled before anything was sent.
* ``LibraryError``: a fault of this library or of its store, or a client that is closed.
"""

from __future__ import annotations

from typing import Any

from ._reply import Outcome, Reply


class AtlasError(Exception):
    """A call that did not succeed; :attr:`outcome` says whether it happened all the same."""

    #: What happened.
    message: str
    #: What to do now, in one sentence.
    help: str
    #: Stable word: ``timeout``, ``refused``, ``bad_request`` …
    code: str
    #: Stable number, below zero.
    status: int
    #: Whether it happened.
    outcome: Outcome
    #: ``fix_request``, ``fix_config``, ``requote``, ``wait``, ``reconcile``, ``already_done``, ``give_up``,
    #: ``contact_support``, ``retry``.
    advice: str
    #: The operation to call next.
    next: str | None
    #: The same call again is harmless.
    retryable: bool
    #: JSON Pointer of the offending field.
    field: str | None
    #: Further faults of a request: ``{"field": …, "message": …}``.
    details: list[dict[str, Any]]
    #: The vendor's code as a word, as a number, and the vendor's words.
    vendor_code: str | None
    vendor_status: int | None
    vendor_message: str | None
    #: When the vendor wants to be asked again.
    retry_after_ms: int | None
    #: The whole reply; None if the call did not get so far.
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
        # The core's help of a local fault repeats the message.
        parts = [] if self.message in self.help else [self.message]
        parts += [self.help] if self.help else []
        parts += [f"{each['field']} {each['message']}" for each in self.details[1:4]]
        text = " ".join(part if part.endswith((".", "!", "?")) else part + "." for part in parts).replace("?.", "?")
        return f"{text} [outcome: {self.outcome}]"

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
    """The vendor said no, or knows no such order."""


class TransportError(NotExecuted):
    """It never reached the vendor, or the answer to a read or quote was lost."""


class RateLimited(NotExecuted):
    """Too many requests."""


class AuthError(NotExecuted):
    """Credentials or permissions."""


class OutcomeUnknown(AtlasError):
    """It may have happened. Ask the vendor before anything else, and do not send it again."""


class AlreadySubmitted(AtlasError):
    """It happened before, by somebody."""


class Cancelled(AtlasError):
    """Cancelled before anything was sent."""


class CaseConflict(AtlasError):
    """Another case stands in the way: the key is used for something else, or the order has an open case."""


class GuardError(AtlasError):
    """A guard refused before money moved."""


class LibraryError(AtlasError):
    """A fault of this library or of its store, or a client that is closed."""


_BY_STATUS: dict[int, type[AtlasError]] = {
    **dict.fromkeys((-1, -2, -3, -4, -6), RequestError),
    -5: ConfigError,
    **dict.fromkeys((-7, -8, -9, -60, -90, -91, -92), LibraryError),
    **dict.fromkeys((-20, -21, -22, -23, -24, -26), TransportError),
    -25: Cancelled,
    -41: RateLimited,
    -42: AuthError,
    **dict.fromkeys((-43, -46), Refused),
    -48: AlreadySubmitted,
    -61: CaseConflict,
    -62: GuardError,
}


def class_of(status: int, outcome: str) -> type[AtlasError]:
    """The exception of a status and an outcome. An unknown outcome comes before everything else."""
    if outcome == "unknown":
        return OutcomeUnknown
    known = _BY_STATUS.get(status)
    if known is not None and (outcome != "executed" or not issubclass(known, (NotExecuted, Cancelled))):
        return known
    return NotExecuted if outcome == "not_executed" else AtlasError


def error_of(reply: Reply) -> AtlasError:
    """The exception of a reply that is not ok."""
    error: dict[str, Any] = reply._whole["error"]
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
    """A request that cannot even be written as JSON."""
    return RequestError(
        message,
        help=f"Nothing was sent: {message}.",
        code="bad_request",
        status=-4,
        outcome="not_executed",
        advice="fix_request",
        field=field,
        details=[{"field": field, "message": message}],
    )


def bad_config(refused: RequestError) -> ConfigError:
    """The same of a configuration."""
    return ConfigError(
        refused.message.replace("the request", "the configuration"),
        help=refused.help.replace("the request", "the configuration"),
        code="bad_config",
        status=-5,
        outcome="not_executed",
        advice="fix_config",
        field=refused.field,
        details=refused.details,
    )


def closed() -> LibraryError:
    """A call on a client that is closed."""
    return LibraryError(
        "the client is closed",
        help="Nothing was sent: the client is closed.",
        code="closed",
        status=-8,
        outcome="not_executed",
        advice="fix_request",
    )


def panicked(operation: str, text: str, has_effect: bool) -> AtlasError:
    """A panic of the library; of a submit it leaves unknown what was sent."""
    return (OutcomeUnknown if has_effect else LibraryError)(
        f"the library panicked: {text}",
        help=f"The {operation} may have been accepted; ask the vendor before anything else."
        if has_effect
        else "This is a fault of the library: please report it.",
        code="panic",
        status=-92,
        outcome="unknown" if has_effect else "not_executed",
        advice="reconcile" if has_effect else "contact_support",
    )
