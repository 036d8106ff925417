"""Replies and records."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from scripted import Server, answer

from atlas_postbooking import Client, Outcome, Record
from atlas_postbooking._scalars import SCALARS, loads
from atlas_postbooking.replies import FareAmount, RefundTicket, VoidQuotationReply

QUOTE: dict[str, Any] = {
    "status": 0,
    "msg": "fine",
    "requestId": "r-1",
    "orderNo": "A1",
    "isVoidable": True,
    "voidOfferId": "q_1",
    "expectedRefundDate": "20250522",
    "voidFareAmount": {"originalFareAmount": 84.70, "estimatedRefundAmount": "1e2"},
    "voidTickets": [{"originalTotalAmount": "68.590", "passengerName": "KIS/EVA", "secretCode": 7}],
    "novelty": {"inner": [{"price": 1.10, "big": 12345678901234567890}]},
}


def answer_of(body: dict[str, Any]) -> bytes:
    """A response whose amounts have trailing zeros, which a float would lose."""
    return answer(json.dumps(body).replace("84.7,", "84.70,").replace("1.1,", "1.10,").encode())


def quote(server: Server, client: Client) -> Any:
    # Any: the tests also ask for what no type knows.
    server.then(answer_of(QUOTE))
    return client.void_quotation(order_no="A1")


def test_attributes_of_a_reply(server: Server, client: Client) -> None:
    reply = quote(server, client)
    assert reply.ok and bool(reply) is True
    assert reply.operation == "voidQuotation"
    assert (reply.outcome, f"{reply.outcome}", str(reply.outcome)) == ("executed",) * 3
    assert reply.outcome is Outcome.EXECUTED
    assert reply.error is None
    assert reply.raw == answer_of(QUOTE).partition(b"\r\n\r\n")[2]
    assert reply.json.startswith('{"ok":true,"operation":"voidQuotation","outcome":"executed","data":{"orderNo":"A1"')
    assert (reply.meta.http_status, reply.meta["vendorMessage"], reply.meta.request_id) == (200, "fine", "r-1")
    assert [w.code for w in reply.warnings] == []


def test_attributes_are_converted(server: Server, client: Client) -> None:
    reply = quote(server, client)
    assert reply.void_offer_id == "q_1" and reply.data is not None and reply.data.void_offer_id == "q_1"
    assert reply.expected_refund_date == date(2025, 5, 22)
    fare = reply.void_fare_amount
    assert [type(each) for each in (reply, fare, reply.void_tickets[0])] == [VoidQuotationReply, FareAmount, RefundTicket]
    assert str(fare.original_fare_amount) == "84.70" and isinstance(fare.original_fare_amount, Decimal)
    assert fare.estimated_refund_amount == Decimal(100)
    assert str(reply.void_tickets[0].original_total_amount) == "68.590"
    assert reply.void_method is None, "documented and absent"


def test_the_mapping_has_the_vendors_names(server: Server, client: Client) -> None:
    reply = quote(server, client)
    assert reply["voidOfferId"] == "q_1" and reply["expectedRefundDate"] == date(2025, 5, 22)
    assert reply["voidTickets"][0]["originalTotalAmount"] == Decimal("68.59")
    assert "voidOfferId" in reply and "void_offer_id" not in reply
    assert reply.get("nothing", 5) == 5 and next(iter(reply)) == "orderNo" and len(reply) > 10
    assert dict(reply.items())["orderNo"] == "A1"
    with pytest.raises(KeyError):
        _ = reply["void_offer_id"]


def test_unknown_fields(server: Server, client: Client) -> None:
    reply = quote(server, client)
    inner = reply["novelty"]["inner"][0]
    assert isinstance(inner, Record) and str(inner["price"]) == "1.10" and isinstance(inner["price"], Decimal)
    assert inner["big"] == 12345678901234567890
    assert reply.void_tickets[0]["secretCode"] == 7
    with pytest.raises(AttributeError):
        _ = reply.novelty
    with pytest.raises(AttributeError):
        _ = reply.void_tickets[0].secret_code


def test_misspelt_attributes(server: Server, client: Client) -> None:
    reply = quote(server, client)
    with pytest.raises(AttributeError, match="voidQuotation has no field 'void_offer'") as caught:
        _ = reply.void_offer
    assert (caught.value.name, caught.value.obj) == ("void_offer", reply)
    assert "void_offer_id" in dir(reply) and "original_total_amount" in dir(reply.void_tickets[0])
    with pytest.raises(AttributeError):
        reply.void_offer_id = "q_2"
    with pytest.raises(AttributeError):
        reply.void_fare_amount.currency = "x"


def test_to_dict_is_a_plain_copy(server: Server, client: Client) -> None:
    reply = quote(server, client)
    plain = reply.to_dict()
    assert plain["voidFareAmount"]["originalFareAmount"] == "84.70" and plain["expectedRefundDate"] == "2025-05-22"
    plain["voidFareAmount"]["originalFareAmount"] = "0"
    assert reply.void_fare_amount.original_fare_amount == Decimal("84.70")


def test_repr_shows_money_states_and_times_but_no_passenger(server: Server, client: Client) -> None:
    reply = quote(server, client)
    assert repr(reply).startswith("<VoidQuotationReply of voidQuotation: executed: order_no=A1, is_voidable=True")
    assert "expected_refund_date=2025-05-22" in repr(reply)
    assert repr(reply.void_tickets) == "[<RefundTicket: original_total_amount=68.590>]"
    assert repr(reply.void_fare_amount).endswith("estimated_refund_amount=100>")
    html = reply._repr_html_() + reply.void_tickets[0]._repr_html_()
    assert "<td>68.590</td>" in html and "<caption>RefundTicket</caption>" in html
    assert "KIS" not in repr(reply) + repr(reply.void_tickets) + repr(reply.data) + html
    server.then({"status": 0, "orderNo": "A1", "voidOfferId": "<b>"})
    assert "<td>&lt;b&gt;</td>" in client.void_quotation(order_no="A1")._repr_html_()


def test_equality_and_copies(server: Server, client: Client) -> None:
    one, two = quote(server, client), quote(server, client)
    assert one.data == two.data and one.void_tickets == two.void_tickets
    assert one.void_fare_amount == {**two.void_fare_amount}
    assert one != "x" and one.data != 5
    for clone in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert clone == one and clone.raw == one.raw and clone.ok and clone.outcome is Outcome.EXECUTED
        assert clone.void_fare_amount.original_fare_amount == Decimal("84.70")
        assert clone.meta == one.meta
    ticket = pickle.loads(pickle.dumps(one.void_tickets[0]))
    assert ticket == one.void_tickets[0] and ticket.original_total_amount == Decimal("68.59")
    unknown = pickle.loads(pickle.dumps(one["novelty"]))
    assert unknown["inner"][0]["price"] == Decimal("1.1")
    with pytest.raises(TypeError):
        hash(one)


def test_instants_and_local_times(server: Server, client: Client) -> None:
    server.then({"status": 0, "orders": [{"orderNo": "A1", "orderCreateTimestamp": "2024-11-22T01:07:10Z"}]})
    (order,) = client.order_list().orders or []
    listed = order.order_create_timestamp
    assert listed is not None and listed == datetime(2024, 11, 22, 1, 7, 10, tzinfo=timezone.utc) and listed.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("date-time", "2025-08-05T17:24:48+08:00", datetime(2025, 8, 5, 9, 24, 48, tzinfo=timezone.utc)),
        ("date-time", "2025-08-05T17:24:48.5Z", datetime(2025, 8, 5, 17, 24, 48, 500000, tzinfo=timezone.utc)),
        ("date-time", "2025-08-05T17:24:48.123456789Z", datetime(2025, 8, 5, 17, 24, 48, 123456, tzinfo=timezone.utc)),
        ("date-time", "2025-08-05T17:24:48", "2025-08-05T17:24:48"),
        ("date-time", "soon", "soon"),
        ("local-date-time", "2024-08-20T08:10", datetime(2024, 8, 20, 8, 10)),
        ("local-date-time", "2024-08-20T08:10+02:00", "2024-08-20T08:10+02:00"),
        ("local-date-time", "20240820", "20240820"),
        ("date", "2025-05-22", date(2025, 5, 22)),
        ("date", "20250522", "20250522"),
        ("date", "2025-W01-1", "2025-W01-1"),
        ("date", "2025-02-30", "2025-02-30"),
        ("decimal", "84.70", Decimal("84.70")),
        ("decimal", "much", "much"),
        ("decimal", 5, 5),
    ],
)
def test_conversions(kind: str, text: Any, expected: Any) -> None:
    value = SCALARS[kind](text)
    assert value == expected and type(value) is type(expected)


def test_numbers_beyond_the_limits_of_int_and_decimal() -> None:
    digits = "9" * 5000
    assert loads(f'[{digits}, 1, "x"]') == [Decimal(digits), 1, "x"]
    assert loads("[1e5, 1e99999999999999999999]") == [Decimal("1E5"), "1e99999999999999999999"]
    assert type(loads("1.0")) is Decimal


def test_values_of_an_unexpected_type(server: Server, client: Client) -> None:
    server.then({"status": 0, "orderNo": "A1", "voidTickets": "none", "voidFareAmount": [1], "expectedRefundDate": "x"})
    reply: Any = client.void_quotation(order_no="A1")
    assert reply.ok and reply.expected_refund_date == "x"
    assert reply.void_tickets in ("none", None) and reply.void_fare_amount in ([1], None)
