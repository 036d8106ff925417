"""What a client tells about its calls: log lines, OpenTelemetry spans, counters. Never a body, a secret or a passenger.

Neither ``logging`` nor ``opentelemetry`` is imported here: a program that has not imported it does not listen.
"""

from __future__ import annotations

import sys
import threading
import time

from ._native import Client as NativeClient
from ._reply import Outcome, Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

#: The name of the logger, of the tracer, and the beginning of every name of a metric.
NAME = "atlas_postbooking"
_HELP = {
    "calls_total": ("counter", "Calls by operation, outcome and error code."),
    "call_seconds": ("summary", "Time of the calls, with repetitions and waiting."),
    "cases_open": ("gauge", "Cases that are open."),
    "cases_unknown": ("gauge", "Open cases whose outcome is unknown."),
    "cases_stuck": ("gauge", "Cases that wait for a human."),
    "cases_due": ("gauge", "Cases that are due now."),
    "oldest_open_case_timestamp_seconds": ("gauge", "When the oldest open case was opened."),
    "paused_until_timestamp_seconds": ("gauge", "Until when a Retry-After stops the account."),
}


class Observer:
    """The log lines, spans and counters of one client."""

    __slots__ = ("_calls", "_has_lines", "_host", "_lock", "_seconds")

    def __init__(self, origin: str) -> None:
        self._host = origin.partition("://")[2]
        self._lock = threading.Lock()
        self._has_lines = False
        self._calls: dict[tuple[str, str, str], int] = {}
        self._seconds: dict[str, tuple[int, float]] = {}

    def begin(self, client: NativeClient) -> float:
        """A call begins; gives its ``started``. Lines of attempts are made only if somebody reads them."""
        log = _logger()
        wanted = log is not None and log.isEnabledFor(10)
        if wanted is not self._has_lines:
            self._has_lines = wanted
            client.log_attempts(wanted)
        return time.perf_counter()

    def ended(self, reply: Reply, attempts: list[str], started: float) -> None:
        """Records a call that has a reply; each attempt at the vendor has a line of its own."""
        seconds = time.perf_counter() - started
        code = "" if reply.error is None else reply.error.code
        self._count(reply.operation, str(reply.outcome), code, seconds)
        # A broken filter or exporter of the program must not cost it the reply of a submit.
        try:
            level = 10 if reply.ok else 40 if reply.outcome is Outcome.UNKNOWN else 30
            log = _logger()
            if log is not None and attempts:
                fields = {"atlas_operation": reply.operation, "atlas_host": self._host}
                for line in attempts:
                    log.debug("%s, host %s", line, self._host, extra=fields)
            if log is not None and log.isEnabledFor(level):
                _write(log, level, {**self._fields(reply, code), "elapsed_ms": round(seconds * 1000)})
        except Exception:
            pass
        try:
            trace = sys.modules.get("opentelemetry.trace")
            if trace is not None:
                self._add_span(trace, reply, code, seconds)
        except Exception:
            pass

    def interrupted(self, operation: str, outcome: str, started: float) -> None:
        """Records a call that an exception of the host ended, such as Ctrl-C or a cancelled task."""
        seconds = time.perf_counter() - started
        self._count(operation, outcome, "interrupted", seconds)
        try:
            log = _logger()
            if log is not None:
                fields = {"operation": operation, "outcome": outcome, "code": "interrupted", "host": self._host}
                _write(log, 30, {**fields, "elapsed_ms": round(seconds * 1000)})
        except Exception:
            pass

    def metrics(self, stats: Reply | None) -> str:
        """The counters, and the numbers of ``case.stats``, in the text format of Prometheus."""
        with self._lock:
            calls, seconds = sorted(self._calls.items()), sorted(self._seconds.items())
        lines = [*_head("calls_total")]
        for (operation, outcome, code), count in calls:
            lines.append(f'{NAME}_calls_total{{operation="{operation}",outcome="{outcome}",code="{code}"}} {count}')
        lines += _head("call_seconds")
        for operation, (count, total) in seconds:
            lines.append(f'{NAME}_call_seconds_count{{operation="{operation}"}} {count}')
            lines.append(f'{NAME}_call_seconds_sum{{operation="{operation}"}} {total:.6f}')
        if stats is not None:
            values = {f"cases_{name}": stats[name] for name in ("open", "unknown", "stuck", "due")}
            for name, field in (("oldest_open_case", "oldest"), ("paused_until", "pausedUntil")):
                moment = stats[field]
                values[f"{name}_timestamp_seconds"] = None if moment is None else round(moment.timestamp())
            for name, value in values.items():
                if value is not None:
                    lines += [*_head(name), f"{NAME}_{name} {value}"]
        return "\n".join(lines) + "\n"

    def _count(self, operation: str, outcome: str, code: str, seconds: float) -> None:
        with self._lock:
            key = (operation, outcome, code)
            self._calls[key] = self._calls.get(key, 0) + 1
            count, total = self._seconds.get(operation, (0, 0.0))
            self._seconds[operation] = (count + 1, total + seconds)

    def _fields(self, reply: Reply, code: str) -> dict[str, Any]:
        meta = reply.meta
        fields: dict[str, Any] = {"operation": reply.operation, "outcome": str(reply.outcome), "code": code}
        fields |= {"host": self._host, "http_status": meta.http_status, "vendor_status": meta.vendor_status}
        return fields | {"attempts": meta.attempts, "request_id": meta.request_id}

    def _add_span(self, trace: Any, reply: Reply, code: str, seconds: float) -> None:
        end = time.time_ns()
        fields = self._fields(reply, code)
        host, _, port = fields.pop("host").partition(":")
        attributes: dict[str, Any] = {"server.address": host, "server.port": int(port) if port.isdigit() else None}
        attributes["http.response.status_code"] = fields.pop("http_status")
        attributes |= {f"atlas.{name}": value for name, value in fields.items()}
        span = trace.get_tracer(NAME).start_span(
            f"{NAME} {reply.operation}",
            kind=trace.SpanKind.CLIENT,
            start_time=end - int(seconds * 1e9),
            attributes={name: value for name, value in attributes.items() if value not in (None, "")},
        )
        if not reply.ok:
            span.set_status(trace.Status(trace.StatusCode.ERROR, code))
        span.end(end_time=end)


#: The logger, once the program has imported logging.
_found: list[Any] = []


def _logger() -> Any:
    if not _found:
        logging = sys.modules.get("logging")
        if logging is None:
            return None
        _found.append(logging.getLogger(NAME))
    log = _found[0]
    if not log.handlers:
        logging = sys.modules["logging"]
        # A library does not print: without it, logging writes warnings to stderr.
        log.addHandler(logging.NullHandler())
    return log


def _write(log: Any, level: int, fields: dict[str, Any]) -> None:
    log.log(level, _line(fields), extra={f"atlas_{name}": value for name, value in fields.items()})


def _line(fields: dict[str, Any]) -> str:
    return " ".join(f"{name}={value}" for name, value in fields.items() if value not in (None, ""))


def _head(name: str) -> Iterator[str]:
    kind, text = _HELP[name]
    yield f"# HELP {NAME}_{name} {text}"
    yield f"# TYPE {NAME}_{name} {kind}"
