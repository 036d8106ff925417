"""Cases: their methods, the walk of the follow-up, and the exceptions."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

import atlas_postbooking as atlas
from atlas_postbooking import AsyncClient, Client, RequestError
from atlas_postbooking._encode import encode_request
from atlas_postbooking._follow import AsyncFollow, Follow


class Told:
    """Answers with so many open cases each, and remembers what it was asked."""

    def __init__(self, *open_cases: int) -> None:
        self.open = list(open_cases)
        self.asked: list[dict[str, Any]] = []

    def call(self, operation: str, request: dict[str, Any], options: Any) -> dict[str, Any]:
        assert (operation, options) == ("case.follow", {"timeoutMs": 5})
        self.asked.append(request)
        return {"open": self.open.pop(0)}


def walk(told: Told, case: dict[str, Any], timeout_ms: int | None = None, every_ms: int = 1000) -> list[Any]:
    told_as: Any = told
    return [progress["open"] for progress in Follow(told_as, case, timeout_ms, every_ms, {"timeoutMs": 5})]


def test_follow_ends_when_nothing_is_open() -> None:
    told = Told(2, 1, 0, 7)
    assert walk(told, {"id": None, "key": "k"}) == [2, 1, 0]
    step, wait = {"key": "k", "until": "step"}, {"key": "k", "until": "final", "timeoutMs": 1000}
    assert told.asked == [step, wait, wait], "the first step does not wait"


def test_follow_ends_with_the_time_but_takes_one_step() -> None:
    told = Told(3, 3)
    assert walk(told, {"id": None, "key": None}, timeout_ms=0) == [3]
    assert told.asked == [{"all": True, "until": "step"}]
    told = Told(3, 0)
    assert walk(told, {"id": "01"}, timeout_ms=400) == [3, 0]
    assert 0 < told.asked[1]["timeoutMs"] <= 400


def test_follow_without_waiting() -> None:
    told = Told(1, 1, 0)
    assert walk(told, {"key": "k"}, every_ms=0) == [1, 1, 0]
    assert {each["until"] for each in told.asked} == {"step"}


def test_async_follow() -> None:
    told = Told(1, 0)

    class Coroutine:
        async def call(self, *arguments: Any) -> Any:
            return told.call(*arguments)

    async def walk() -> list[Any]:
        told_as: Any = Coroutine()
        return [each["open"] async for each in AsyncFollow(told_as, {"key": "k"}, None, 10, {"timeoutMs": 5})]

    assert asyncio.run(walk()) == [1, 0]


def test_requests() -> None:
    resolve = encode_request("case.resolve", {"as": "executed"}, {"id": "01", "by": "me", "evidence": {"code": "c"}})
    assert resolve == b'{"as":"executed","id":"01","by":"me","evidence":{"code":"c"}}'
    assert encode_request("case.resolve", None, {"as_": "executed"}) == b'{"as":"executed"}'
    assert encode_request("case.notify", None, {"body": b'{"a":"\xc3\xa4"}'}) == '{"body":"{\\"a\\":\\"ä\\"}"}'.encode()
    with pytest.raises(RequestError, match="/body is not UTF-8"):
        encode_request("case.notify", None, {"body": b"\xff"})
    opened = encode_request("case.open", None, {"order_no": "A1", "expect": {"min_refund": "4.20"}})
    assert json.loads(opened) == {"orderNo": "A1", "expect": {"minRefund": "4.20"}}
