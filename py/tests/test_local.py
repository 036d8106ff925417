"""Functions that need no network."""

from __future__ import annotations

from typing import Any

import pytest

import atlas_postbooking as atlas
from atlas_postbooking import Client, Record, describe, parse_webhook, validate

EVENT = '{"type":"order.void","data":{"orderNo":"A1","voidCode":"c-1","voidStatus":2,"n":1.50}}'


@pytest.mark.parametrize("body", [EVENT, EVENT.encode(), bytearray(EVENT.encode()), memoryview(EVENT.encode())])
def test_webhooks(body: Any) -> None:
    event = parse_webhook(body)
    assert (event.type, event.kind, event.order_no, event.code, event.state) == ("order.void", "void", "A1", "c-1", 2)
    assert event.hint == "queryVoidOrders" and event.dedupe_key == "order.void:A1:c-1:2"
    payload: Any = event["data"]
    assert payload.void_code == "c-1" and isinstance(payload, Record) and payload["voidCode"] == "c-1"
    assert str(payload["n"]) == "1.50"
    assert event.data is not None and event.data["data"] == payload


def test_webhooks_as_mappings(client: Client) -> None:
    event = client.parse_webhook({"type": "order.ticketed", "data": {"orderNo": "A1"}})
    assert event.kind == "ticketed"
    for bad in ("[]", "{", b"\xff", "\ud800"):
        with pytest.raises(atlas.RequestError):
            parse_webhook(bad)


def test_validate() -> None:
    checked = validate("orderList", dep_date="2025-05-22", page="2")
    assert checked["valid"] is True and checked["body"].to_dict() == {"depDate": "20250522", "page": 2}
    assert validate("void", {"orderNo": "A1", "voidOfferId": "q"})["body"]["voidOfferId"] == "q"
    with pytest.raises(atlas.RequestError) as caught:
        validate("void", {"orderNo": "A1", "voidOffer": "q"})
    assert {each["field"] for each in caught.value.details} == {"/voidOffer", "/voidOfferId"}
    assert "void_offer_id is required" in str(caught.value)


def test_describe() -> None:
    every = {op["name"]: op for op in describe()["operations"]}
    assert len(every) >= 28 and every["void"]["kind"] == "submit"
    (one,) = describe("void")["operations"]
    assert one == every["void"]


def test_no_documented_field_has_the_name_of_an_attribute() -> None:
    """A field of that name could not be read as an attribute of its record or reply."""

    def names(schema: dict[str, Any]) -> set[str]:
        found = set()
        for field in schema.get("properties", {}).values():
            found.add(field["x-attribute"])
            while "items" in field:
                field = field["items"]
            found |= names(field)
        return found

    for op in describe()["operations"]:
        root = {field["x-attribute"] for field in op["reply"]["properties"].values()}
        attributes = set(dir(atlas.Record))
        if op["name"] != "parseWebhook":
            attributes |= set(atlas.Reply.__annotations__)
        # `reply.outcome` and `reply.error` are those of the call; those of a case are read as `reply.case.outcome`.
        hidden = {"outcome", "error"} if op["name"].startswith("case.") else set()
        assert not root & attributes - hidden and not names(op["reply"]) & set(dir(atlas.Record)), op["name"]
        assert not {"options", "request", "self"} & {f["x-attribute"] for f in op["request"]["properties"].values()}
