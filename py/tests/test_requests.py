"""Requests: from Python values to the bytes that are sent."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any

import pytest
from conftest import SECRET
from scripted import Server

from atlas_postbooking import Client, RequestError, validate

OK = {"status": 0}
SEGMENT = {"dep_airport": "BUD", "arr_airport": "OTP", "flight_no": "W61"}


def test_keywords_and_mappings_send_the_same_bytes(server: Server, client: Client) -> None:
    server.then(*[{"status": 0, "orderNo": "A1"}] * 5)
    client.void(order_no="A1", void_offer_id="q_1")
    client.void({"orderNo": "A1", "voidOfferId": "q_1"})
    client.void({"order_no": "A1", "voidOfferId": "q_1"})
    client.void({"orderNo": "A1"}, void_offer_id="q_1")
    client.call("void", {"orderNo": "A1", "void_offer_id": "q_1"})
    assert [r.body for r in server.requests] == [b'{"orderNo":"A1","voidOfferId":"q_1"}'] * 5
    assert {r.path for r in server.requests} == {"/void.do"}
    assert server.requests[0].headers["x-atlas-client-id"] == "id"
    assert server.requests[0].headers["x-atlas-client-secret"] == SECRET


def test_nested_names(server: Server, client: Client) -> None:
    server.then({"status": 0, "orderNo": "A1"})
    # Any: the vendor's names among Python names are for programs without types.
    list_: Any = [{"first_name": "EVA", "lastName": "KIS", "segments": [{"dep_date": date(2025, 5, 22), **SEGMENT}]}]
    client.refund_quotation(
        order_no="A1",
        refund_request_list=list_,
    )
    (passenger,) = server.requests[0].json["refundRequestList"]
    assert (passenger["firstName"], passenger["lastName"]) == ("EVA", "KIS")
    (segment,) = passenger["segments"]
    assert (segment["depDate"], segment["depAirport"], segment["flightNo"]) == ("20250522", "BUD", "W61")


def test_times(server: Server, client: Client) -> None:
    server.then({"status": 0, "orders": []})
    at = datetime(2024, 11, 22, 9, 7, 10, tzinfo=timezone(timedelta(hours=8)))
    client.order_list(dep_date=date(2025, 1, 2), create_time_range_from=at, order_status=[0, "2", -3])
    assert server.requests[0].json == {
        "depDate": "20250102",
        "createTimeRangeFrom": "2024-11-22T01:07:10Z",
        "orderStatus": [0, 2, -3],
    }


def test_naive_and_aware_times_are_not_mixed_up(server: Server, client: Client) -> None:
    naive = datetime(2024, 11, 22, 9, 7, 10)
    with pytest.raises(RequestError) as caught:
        client.order_list(create_time_range_from=naive)
    assert caught.value.field == "/createTimeRangeFrom"
    segment: Any = {"depTime": naive.replace(tzinfo=timezone.utc)}
    with pytest.raises(RequestError) as caught:
        client.post_booking_ancillary_search(ancillary_category="BAGGAGE", from_segments=[segment])
    assert any(each["field"] == "/fromSegments/0/depTime" for each in caught.value.details)
    assert not server.requests


def test_misspelt_names_are_refused_by_name(server: Server, client: Client) -> None:
    calls: list[tuple[str, dict[str, Any]]] = [
        ("voidQuotation", {"order_nr": "A1"}),
        ("void_quotation", {"orderNo": "A1"}),
        ("refundQuotation", {"orderNo": "A1", "refund_request_list": [{"firstNam": "X"}]}),
    ]
    for operation, request in calls:
        with pytest.raises(RequestError, match="did you mean `(order_no|voidQuotation|first_name)`"):
            client.call(operation, request)
    with pytest.raises(RequestError, match="did you mean `order_no`"):
        client.void_quotation(orderNumber="A1")  # type: ignore[arg-type]
    assert not server.requests


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (84.7, "must not be a float"),
        (b"A1", "is a bytes"),
        (Decimal("NaN"), "finite"),
        (object(), "is a object"),
        ({1: 2}, "keys must be str"),
        ("\ud800", "surrogate"),
        (10**5000, "too long"),
    ],
    ids=["float", "bytes", "nan", "object", "key", "surrogate", "digits"],
)
def test_values_that_cannot_be_sent(server: Server, client: Client, value: Any, message: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        client.void_quotation({"orderNo": [value]})
    assert (caught.value.code, caught.value.status, caught.value.outcome) == ("bad_request", -4, "not_executed")
    assert not server.requests


def test_recursive_requests(server: Server, client: Client) -> None:
    recursive: dict[str, Any] = {}
    recursive["routing"] = recursive
    with pytest.raises(RequestError, match="nested too deeply"):
        client.query_order_details(recursive)
    with pytest.raises(RequestError):
        client.void_quotation(["orderNo"])  # type: ignore[arg-type]


def test_a_field_given_twice_is_refused(client: Client) -> None:
    for request in ({"orderNo": "A1"}, {"order_no": "A1"}):
        with pytest.raises(RequestError, match="order_no is given twice"):
            client.void_quotation(request, order_no="A2")
    with pytest.raises(RequestError, match="order_no is given twice"):
        client.void_quotation({"orderNo": "A1", "order_no": "A1"})


def test_decimals_keep_their_digits() -> None:
    # No request of the contract has an amount, so the encoding is tested with an unknown field.
    with pytest.raises(RequestError, match="unknown key"):
        validate("voidQuotation", order_no="A1", amount=Decimal("1E+2"))


def test_unknown_keys_when_allowed(server: Server, client: Client) -> None:
    server.then({"status": 0, "orderNo": "A1"})
    client.void_quotation({"orderNo": "A1", "x_y": Decimal("1E+2"), "z": [True, None]}, options={"allow_unknown": True})
    assert server.requests[0].body == b'{"orderNo":"A1","x_y":"100","z":[true,null]}'


def test_enumerations(server: Server, client: Client) -> None:
    class Status(IntEnum):
        TICKETED = 2

    class Text(str, Enum):
        ORDER = "A1"

    class Plain(Enum):
        CITY = "BUD"

    server.then({"status": 0, "orders": []})
    client.order_list(order_status=[Status.TICKETED], order_no=Text.ORDER, from_city=Plain.CITY)  # type: ignore[arg-type]
    assert server.requests[0].json == {"orderNo": "A1", "fromCity": "BUD", "orderStatus": [2]}


def test_none_is_left_out(server: Server, client: Client) -> None:
    server.then({"status": 0, "balance": "1"})
    client.balance(currency=None)
    assert server.requests[0].body == b"{}"


def test_options(server: Server, client: Client) -> None:
    server.then(OK, OK)
    several: list[Any] = [
        {"client_request_id": "c-1", "headers": {"X_Trace-Id": "7"}, "retry": {"max_attempts": 2}},
        {"clientRequestId": "c-1", "headers": {"X_Trace-Id": "7"}},
    ]
    for options in several:
        reply = client.balance(options=options)
        assert reply.meta.client_request_id == "c-1"
        assert server.requests[-1].headers["x_trace-id"] == "7"
    with pytest.raises(RequestError, match="did you mean `timeout_ms`"):
        client.balance(options={"time_out_ms": 5})  # type: ignore[arg-type]


def test_values_of_a_reply_can_be_sent_back(server: Server, client: Client) -> None:
    segment = {"carrier": "W6", "flightNumber": "W61", "depAirport": "BUD", "depTime": "202408200810"}
    segment |= {"arrAirport": "OTP", "arrTime": "202408201130"}
    server.then({"status": 0, "orderNo": "A1", "routing": {"fromSegments": [segment]}}, OK)
    routing: Any = client.query_order_details(order_no="A1").routing
    first = routing.from_segments[0]
    assert first.dep_time == datetime(2024, 8, 20, 8, 10)
    sent: Any = {name: first[name] for name in segment}
    client.post_booking_ancillary_search(ticket_order_no="A1", ancillary_category="BAGGAGE", from_segments=[sent])
    assert server.requests[1].json["fromSegments"] == [segment]
    # A whole record is a mapping too; fields that the request does not have are refused by name.
    with pytest.raises(RequestError, match="unknown key"):
        client.post_booking_ancillary_search(ticket_order_no="A1", from_segments=[first])
