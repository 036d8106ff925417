"""The exception of each failure, and its outcome."""

from __future__ import annotations

import pickle
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from conftest import SECRET, open_client
from scripted import Server, answer

import atlas_postbooking as atlas
from atlas_postbooking import Client, Outcome
from atlas_postbooking._errors import _BY_STATUS, _STATUSES, class_of
from atlas_postbooking._types import Config, OfferMaxAge, Rate, Retry, Store

VOID = {"order_no": "A1", "void_offer_id": "q_1"}


def void(client: Client, **options: Any) -> atlas.AtlasError:
    with pytest.raises(atlas.AtlasError) as caught:
        client.void(order_no="A1", void_offer_id="q_1", options=cast("Any", options))
    return caught.value


def read(client: Client, **options: Any) -> atlas.AtlasError:
    with pytest.raises(atlas.AtlasError) as caught:
        client.query_void_orders(order_no="A1", options=cast("Any", options))
    return caught.value


@pytest.mark.parametrize(
    ("call", "body", "http", "kind", "outcome", "code"),
    [
        (void, {"status": 801, "msg": "no"}, 200, atlas.Refused, "not_executed", "refused"),
        (void, {"status": "803"}, 200, atlas.OutcomeUnknown, "unknown", "already_submitted"),
        (void, {"status": 814}, 200, atlas.OutcomeUnknown, "unknown", "in_progress"),
        (void, {"status": 9999}, 200, atlas.OutcomeUnknown, "unknown", "vendor_uncertain"),
        (void, {"status": 0, "orderNo": "B2"}, 200, atlas.OutcomeUnknown, "unknown", "wrong_order"),
        (void, b"<html>", 502, atlas.OutcomeUnknown, "unknown", "http_error"),
        (void, b"<html>", 404, atlas.NotExecuted, "not_executed", "http_error"),
        (void, {"status": 900}, 200, atlas.AuthError, "not_executed", "unauthorized"),
        (void, {"code": 429, "retryAfter": 2}, 200, atlas.RateLimited, "not_executed", "rate_limited"),
        (read, b"", 429, atlas.RateLimited, "not_executed", "rate_limited"),
        (read, b"<html>", 502, atlas.NotExecuted, "not_executed", "http_error"),
        (read, b"<html>", 200, atlas.NotExecuted, "not_executed", "bad_response"),
        (read, {"status": 9999}, 200, atlas.NotExecuted, "not_executed", "vendor_uncertain"),
    ],
)
def test_answers(
    server: Server,
    client: Client,
    call: Callable[[Client], atlas.AtlasError],
    body: Any,
    http: int,
    kind: type[atlas.AtlasError],
    outcome: str,
    code: str,
) -> None:
    server.then(answer(body, http))
    error = call(client)
    assert type(error) is kind
    assert (error.outcome, error.code) == (outcome, code)
    assert isinstance(error.outcome, Outcome) and error.status < 0
    assert f"[outcome: {outcome}]" in str(error) and error.help in str(error)
    assert error.reply is not None and not error.reply.ok and error.reply.error is not None
    assert error.reply.error.code == code and error.reply.outcome is error.outcome


def test_attributes_of_an_error(server: Server, client: Client) -> None:
    server.then({"status": 803, "msg": "done it", "voidCode": "c-1"})
    error = void(client)
    assert (error.vendor_status, error.vendor_message, error.status) == (803, "done it", -48)
    assert error.vendor_code and error.advice == "reconcile" and error.next == "queryVoidOrders"
    assert not error.retryable and error.retry_after_ms is None and error.field is None
    assert error.reply is not None and error.reply["voidCode"] == "c-1", "the body of a refusal is in the reply"
    server.then({"code": 429, "retryAfter": 2})
    assert void(client).retry_after_ms == 2000


def test_not_found(server: Server, client: Client) -> None:
    server.then({"status": 0, "orderNo": None})
    with pytest.raises(atlas.Refused) as caught:
        client.query_order_details(order_no="A1")
    assert caught.value.code == "not_found"


def test_timeout_after_sending(server: Server, client: Client) -> None:
    server.hang()
    error = void(client, timeout_ms=200)
    assert type(error) is atlas.OutcomeUnknown
    assert (error.code, error.advice, error.next, error.retryable) == ("timeout", "reconcile", "queryVoidOrders", False)
    assert len(server.requests) == 1
    server.hang()
    error = read(client, timeout_ms=200)
    assert type(error) is atlas.TransportError and error.code == "timeout"


def test_answer_cut_off(server: Server, client: Client) -> None:
    server.then(None)
    assert type(void(client)) is atlas.OutcomeUnknown

    def cut(peer: socket.socket) -> None:
        peer.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"status":0,')
        peer.shutdown(socket.SHUT_RDWR)

    server.then(cut)
    error = void(client)
    assert type(error) is atlas.OutcomeUnknown and error.code == "io"
    assert error.reply is not None and error.reply.raw == b'{"status":0,' and error.reply.data is None
    assert len(server.requests) == 2, "a submit is never repeated"


def test_connection_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    config: Any = {"baseUrl": url, "clientId": "id", "clientSecret": SECRET}
    with Client(config) as client:
        error = void(client)
    assert type(error) is atlas.TransportError and isinstance(error, atlas.NotExecuted)
    assert (error.code, error.outcome) == ("connect", "not_executed")


def test_configuration() -> None:
    good: dict[str, Any] = {"base_url": "http://127.0.0.1:1", "client_id": "id", "client_secret": SECRET}
    faults: list[tuple[dict[str, Any], str, str]] = [
        ({"timeout_s": 5}, "/timeoutS", "did you mean `timeout_ms`"),
        ({"retry": {"max_attempt": 1}}, "/retry/maxAttempt", "did you mean `max_attempts`"),
        ({"base_url": "http://sandbox.example"}, "/baseUrl", "loopback"),
        ({"timeout_ms": "5"}, "/timeoutMs", "whole number"),
        ({"client_secret": "a\nb"}, "/clientSecret", "header"),
        ({"baseUrl": "http://127.0.0.1:2"}, "/baseUrl", "given twice"),
        ({"user_agent": "\ud800"}, "", "surrogate"),
    ]
    for bad, field, message in faults:
        with pytest.raises(atlas.ConfigError, match=message) as caught:
            Client(good, **bad) if "baseUrl" in bad else Client({**good, **bad})
        assert (caught.value.field, caught.value.outcome, caught.value.status) == (field, "not_executed", -5)
        assert SECRET not in str(caught.value) and SECRET not in repr(vars(caught.value))
        assert not isinstance(caught.value, atlas.NotExecuted)


OBJECTS = {"retry": Retry, "rate_limit": Rate, "store": Store, "offer_max_age_ms": OfferMaxAge}


@pytest.mark.parametrize(
    "path",
    [
        *[(name,) for name in Config.__annotations__],
        *[(outer, inner) for outer, kind in OBJECTS.items() for inner in kind.__annotations__],
    ],
    ids="/".join,
)
def test_the_core_knows_every_key_of_the_type_config(path: tuple[str, ...]) -> None:
    good: dict[str, Any] = {"base_url": "http://127.0.0.1:1", "client_id": "id", "client_secret": SECRET}
    # No key takes an empty list, so there is always an error; an unknown name would be reported as such.
    bad: Any = []
    for name in reversed(path):
        bad = {name: bad}
    with pytest.raises(atlas.ConfigError) as caught:
        Client({**good, **bad})
    assert "unknown key" not in str(caught.value)


def test_unknown_operation(client: Client) -> None:
    for name in ("voidQuotaton", "", "\ud800"):
        with pytest.raises(atlas.AtlasError) as caught:
            client.call(name)
        assert type(caught.value) is atlas.RequestError
    with pytest.raises(atlas.RequestError, match="did you mean `voidQuotation`"):
        atlas.describe("voidQuotaton")


def test_closed(server: Server) -> None:
    with open_client(server) as client:
        pass
    assert "closed" in repr(client)
    client.close()
    with pytest.raises(atlas.LibraryError) as caught:
        client.balance()
    assert (caught.value.code, caught.value.outcome) == ("closed", "not_executed")


def test_the_class_hierarchy() -> None:
    below: dict[type, list[type]] = {
        atlas.NotExecuted: [atlas.Refused, atlas.TransportError, atlas.RateLimited, atlas.AuthError]
    }
    top = [
        *(atlas.RequestError, atlas.ConfigError, atlas.NotExecuted, atlas.OutcomeUnknown, atlas.AlreadySubmitted),
        *(atlas.Cancelled, atlas.CasePending, atlas.CaseConflict, atlas.GuardError, atlas.LibraryError),
    ]
    for kind in top:
        assert kind.__bases__ == (atlas.AtlasError,) and set(kind.__subclasses__()) == set(below.get(kind, []))
    assert atlas.AtlasError.__bases__ == (Exception,) and set(atlas.AtlasError.__subclasses__()) == set(top)


@pytest.mark.parametrize(
    ("status", "outcome", "kind"),
    [
        *[(status, "unknown", atlas.OutcomeUnknown) for status in (-24, -25, -26, -40, -44, -47, -48, -49, -60, -92, -999)],
        *[(status, "not_executed", atlas.RequestError) for status in (-1, -2, -3, -4, -6)],
        (-5, "not_executed", atlas.ConfigError),
        *[(status, "not_executed", atlas.LibraryError) for status in (-7, -8, -9, -60, -90, -91, -92)],
        *[(status, "not_executed", atlas.TransportError) for status in (-20, -21, -22, -23, -24, -26)],
        (-25, "not_executed", atlas.Cancelled),
        (-41, "not_executed", atlas.RateLimited),
        (-42, "not_executed", atlas.AuthError),
        *[(status, "not_executed", atlas.Refused) for status in (-43, -46)],
        *[(status, "not_executed", atlas.NotExecuted) for status in (-40, -44, -45, -47, -49, -999)],
        (-48, "executed", atlas.AlreadySubmitted),
        (-61, "not_executed", atlas.CaseConflict),
        (-62, "not_executed", atlas.GuardError),
        (-91, "executed", atlas.LibraryError),
        *[(status, "executed", atlas.AtlasError) for status in (-26, -43, -44, -999)],
    ],
)
def test_classes(status: int, outcome: str, kind: type[atlas.AtlasError]) -> None:
    assert class_of(status, outcome) is kind


def test_every_status_has_a_class_or_is_left_to_the_outcome() -> None:
    by_outcome = {"OK", "HTTP", "RESPONSE", "TOO_LARGE", "UNCERTAIN", "IN_PROGRESS"}
    assert by_outcome <= _STATUSES.keys()
    assert _BY_STATUS.keys() == {number for name, number in _STATUSES.items() if name not in by_outcome}


def test_errors_pickle(server: Server, client: Client) -> None:
    server.then({"status": 801, "msg": "no"})
    error = void(client)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is atlas.Refused and str(again) == str(error)
    assert again.reply is not None and again.reply.error is not None
    assert again.reply == error.reply and again.reply.error["code"] == "refused" and again.args == error.args
    assert {**vars(again), "reply": 0} == {**vars(error), "reply": 0}


def test_panics(client: Client, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from atlas_postbooking import _native

    if not hasattr(_native, "panic_for_tests"):
        pytest.skip("a release build cannot be made to panic")

    class Broken:
        def call(self, *_: bytes) -> None:
            _native.panic_for_tests()

        call_interruptible = call

    monkeypatch.setattr(client._core, "_native", Broken())
    error = read(client)
    assert type(error) is atlas.LibraryError and error.code == "panic" and "a test at " in str(error)
    error = void(client)
    assert type(error) is atlas.OutcomeUnknown and error.advice == "reconcile"
    monkeypatch.setattr(_native, "call", Broken().call)
    with pytest.raises(atlas.LibraryError):
        atlas.parse_webhook("{}")
    assert capfd.readouterr() == ("", ""), "nothing is printed"


def test_the_secret_is_not_stored_in_the_client_nor_shown(server: Server) -> None:
    client = open_client(server)
    shown = repr(client) + repr(vars(client)) + str(client)
    for name in dir(client._core):
        shown += repr(getattr(client._core, name))
    assert SECRET not in shown and server.url in shown
    # Also not when the vendor's answer contains it.
    server.then({"status": 801, "msg": f"bad {SECRET}"})
    error = void(client)
    assert SECRET not in str(error) + repr(error) + repr(vars(error)) + str(error.reply and error.reply.json)


def test_the_secret_is_not_in_the_frames_of_a_traceback() -> None:
    try:
        Client(base_url="http://127.0.0.1:1", client_id="id", client_secret=SECRET, retries=1)  # type: ignore[call-arg]
    except atlas.ConfigError:
        trace = sys.exc_info()[2]
    assert trace is not None
    inner = trace.tb_next
    frames = 0
    while inner is not None:
        assert SECRET not in repr(inner.tb_frame.f_locals)
        inner, frames = inner.tb_next, frames + 1
    assert frames


def test_messages_name_what_python_callers_wrote(client: Client, tmp_path: Path) -> None:
    calls: list[tuple[Callable[[], object], str]] = [
        (lambda: client.case_open(kind="void", order_no="A1", key="k", expect={"min_refund": "60,50"}), "expect.min_refund must be a decimal number, best as text, not a text with a comma"),
        (lambda: client.order_list(create_time_range_from="2026-03-02T08:00:00"), "not a text without an offset"),
        (lambda: client.order_list(dep_date="2025-05-22T10:00"), "not a text with a time of day"),
        (lambda: client.order_list(dep_date="22.05.2025"), "dep_date must be a date like 2025-05-22"),
        (lambda: client.void_quotation(), "order_no is required"),
        (lambda: client.order_list({"orderNr": "A1"}), "did you mean `order_no`"),
        (lambda: client.balance(options={"timeout": 5}), "did you mean `timeout_ms`"),  # type: ignore[arg-type]
    ]
    for call, text in calls:
        with pytest.raises(atlas.RequestError) as caught:
            call()
        assert text in str(caught.value) and "/" not in str(caught.value), str(caught.value)
    good: Any = {"base_url": "http://127.0.0.1:1", "client_id": "id", "client_secret": SECRET}
    for store in ("/var/cases.db", tmp_path / "cases.db"):
        with pytest.raises(atlas.ConfigError) as wrong:
            Client({**good, "store": store})
        assert f'store must be a mapping, {{"path": {str(store)!r}}}, not a path' in str(wrong.value)
    with pytest.raises(atlas.LibraryError, match=f"the store's directory does not exist: {tmp_path}/no"):
        Client({**good, "store": {"path": tmp_path / "no" / "cases.db"}})
    with pytest.raises(atlas.ConfigError, match="/etc/no.pem|ca_file") as wrong:
        Client({**good, "ca_file": "/etc/no.pem"})
    assert "etc.no" not in str(wrong.value)
    with pytest.raises(atlas.TransportError, match="base_url 127.0.0.1 port 1: Connection refused"):
        Client({**good, "retry": {"max_attempts": 1}}).balance()
