"""What the native half encodes and reads is what the Python half would."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

import pytest
from scripted import Server, answer

from atlas_postbooking import Client, Record, _native
from atlas_postbooking._encode import _object, encode_request, to_json
from atlas_postbooking._errors import RequestError
from atlas_postbooking._scalars import loads
from atlas_postbooking._schema import UNKNOWN, schema_of

STRINGS = ["", "A1", "KIS/EVA", "ä€😀", 'quo"te', "back\\slash", "line\n", "\x7f", "}]{[,:", "\\", '\\"']
NUMBERS = [0, -1, 4, 2**63 - 1, -(2**63), 2**63, True, False, None]


def any_value(rng: random.Random, depth: int, names: list[str]) -> Any:
    kind = rng.randrange(8 if depth else 5)
    if kind < 3:
        return rng.choice(STRINGS if rng.random() < 0.3 else STRINGS[:4])
    if kind < 5:
        return rng.choice(NUMBERS)
    if kind == 5:
        return [any_value(rng, depth - 1, names) for _ in range(rng.randrange(4))]
    return {rng.choice(names): any_value(rng, depth - 1, names) for _ in range(rng.randrange(5))}


def python_encoded(values: dict[str, Any], operation: str) -> bytes | str:
    try:
        return to_json(_object(values, schema_of(operation, "request"), "", {}))
    except RequestError as error:
        return str(error)


@pytest.mark.parametrize("operation", ["case.open", "orderList", "nothing"])
def test_requests_are_encoded_as_python_encodes_them(operation: str) -> None:
    rng = random.Random(operation)
    schema = schema_of(operation, "request")
    names = [*schema.attributes, *schema.fields, "unknown", "na\"me"]
    for field in schema.fields.values():
        names += field.child.attributes if field.child else []
    plain = 0
    for _ in range(3000):
        values = {rng.choice(names): any_value(rng, 3, names) for _ in range(rng.randrange(6))}
        expected = python_encoded(values, operation)
        native = _native.encode(values, schema)
        plain += native is not None
        assert native in (None, expected), values
        kept = {key: value for key, value in values.items() if value is not None}
        assert _native.encode(kept, schema) in (None, python_encoded(kept, operation)), values
        try:
            whole: bytes | str = encode_request(operation, values, {})
        except RequestError as error:
            whole = str(error)
        assert whole == expected
    # Both ways were taken.
    assert 300 < plain < 2700


@pytest.mark.parametrize(
    "value",
    [1.5, Decimal(1), b"x", (1,), {1: 2}, {"a": {1.5}}, "\ud800", {"\ud800": 1}, 2**64, type("Text", (str,), {})("x")],
)
def test_what_is_not_plain_is_left_to_python(value: Any) -> None:
    assert _native.encode({"a": value}, UNKNOWN) is None
    assert _native.encode({"a": [value]}, UNKNOWN) is None


def test_deep_requests_are_left_to_python() -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    assert _native.encode({"a": nested}, UNKNOWN) is None
    itself: dict[str, Any] = {}
    itself["a"] = itself
    assert _native.encode(itself, UNKNOWN) is None
    while nested:
        nested = nested.pop()


def test_a_name_that_may_be_given_twice_is_left_to_python() -> None:
    schema = schema_of("voidQuotation", "request")
    assert _native.encode({"order_no": "A"}, schema) == b'{"orderNo":"A"}'
    assert _native.encode({"order_no": "A", "orderNo": "B"}, schema) is None


def test_objects_are_read_from_a_slice_as_from_the_text(server: Server, client: Client) -> None:
    rng = random.Random(7)
    names = ["voidTickets", "novelty", "price", "ä", "x y", 'quo"te', "voidFareAmount", "isVoidable"]
    for _ in range(150):
        body = {"status": 0, **{rng.choice(names): any_value(rng, 4, names) for _ in range(8)}}
        server.then(answer(json.dumps(body, ensure_ascii=rng.random() < 0.5).encode()))
        data = client.void_quotation(order_no="A1")
        source = data._source
        assert isinstance(source, _native.Reply)
        part = source.slice
        assert part is not None
        expected = loads(part.text)
        values = part.values()
        assert values is None or repr(values) == repr(expected)
        for name in [*expected, "nothing"]:
            if name.isidentifier():
                found = part.field(name)
                assert found is None or (plain(found[0]) == expected[name] if found else name not in expected)
        # By field in any order, then as a whole.
        attributes = list(schema_of("voidQuotation", "reply").attributes.items())
        whole = Record(expected, schema_of("voidQuotation", "reply"))
        for attribute, _ in rng.sample(attributes, 6):
            assert getattr(data.data, attribute) == getattr(whole, attribute)
        assert data.data == whole and data.to_dict() == expected


def plain(value: Any) -> Any:
    """The value with the objects of slices."""
    if isinstance(value, _native.Slice):
        values = value.values()
        return loads(value.text) if values is None else values
    return [plain(each) for each in value] if isinstance(value, list) else value


def test_numbers_keep_every_digit(server: Server, client: Client) -> None:
    server.then(answer(b'{"status":0,"novelty":{"price":1.10,"big":12345678901234567890,"small":-7}}'))
    novelty = client.void_quotation(order_no="A1")["novelty"]
    assert (str(novelty.price), novelty.big, novelty.small) == ("1.10", 12345678901234567890, -7)
