"""``client.cases`` of an AsyncClient; against the simulator and scripted answers."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conftest import SECRET
from scripted import Server

import atlas_postbooking as atlas
from atlas_postbooking import AsyncClient, Progress
from atlas_postbooking.requests import CaseOpenRequest
from atlas_postbooking.testing import Simulator


def voids(orders: list[str]) -> list[CaseOpenRequest]:
    return [{"kind": "void", "order_no": order, "key": f"void-{order}"} for order in orders]


def test_every_method(atlas_simulator: Simulator, atlas_config: dict[str, Any]) -> None:
    async def main() -> None:
        async with AsyncClient(atlas_config) as client:
            orders = [atlas_simulator.order(airline="F9") for _ in range(3)]
            first = await client.cases.open(kind="void", order_no=orders[0], key="k", expect={"currency": "USD"})
            assert first.case.outcome == "executed" and (await client.cases.get("k")).id == first.case.id
            assert (await client.cases.reconcile("k")).case.key == "k" and await client.cases.reconcile()
            verdicts = await client.cases.open_many(voids(orders[1:]))
            assert [str(each.outcome) for each in verdicts] == ["executed"] * 2
            listed = client.cases.list(open=True, limit=2)
            assert {case.key async for case in listed} == {"k", *(f"void-{order}" for order in orders[1:])}
            changed = client.cases.list(changed_since=0)
            assert len([case async for case in changed]) == 3 and changed.next_change
            assert [case async for case in client.cases.list(changed_since=changed.next_change)] == []
            assert len([row["key"] async for row in client.cases.export(kind="void")]) == 3
            atlas_simulator.advance("2d")
            assert [step.open async for step in client.cases.follow("k", every_ms=50)][-1] == 0
            atlas_simulator.set_profile("quoteAfterRefund=0")
            atlas_simulator.fault("refund", "drop_after")
            with pytest.raises(atlas.OutcomeUnknown):
                await client.cases.open(kind="refund", order_no=atlas_simulator.order(), key="lost")
            resolved = await client.cases.resolve("lost", as_="executed", by="Eva", evidence="a mail")
            assert resolved.outcome == "executed"

    asyncio.run(main())


@pytest.mark.atlas("clock=real,refundQueryWithoutCode=list")
def test_many_with_lost_replies_and_limits(atlas_simulator: Simulator, tmp_path: Path) -> None:
    orders = [atlas_simulator.order(airline="F9") for _ in range(24)]
    atlas_simulator.fault("void", "drop_after", times=0, probability=0.2)
    atlas_simulator.fault("void", "rate_limit", times=3, delayMs=1000)
    seen: list[Progress] = []

    async def main() -> None:
        config = {"base_url": atlas_simulator.url, "client_id": "id", "client_secret": SECRET, "store": {"path": tmp_path / "cases.db"}}
        async with AsyncClient(config) as client:
            verdicts = await client.cases.open_many(voids(orders), concurrency=8, progress=seen.append)
            assert [each.index for each in verdicts] == list(range(24)) and {str(each.outcome) for each in verdicts} == {"executed"}
            again = await client.cases.open_many(voids(orders))
            assert [each.outcome for each in again] == [each.outcome for each in verdicts]

    asyncio.run(main())
    assert Counter(row["orderNo"] for row in atlas_simulator.ledger(executed=True)) == dict.fromkeys(orders, 1)
    assert seen[-1].done == 24 and any(each.verdict is None and each.pause_ms > 0 for each in seen)


def test_the_end_of_the_time_and_mistakes(server: Server, tmp_path: Path) -> None:
    server.then({"status": 429, "retryAfter": 60})

    async def main() -> None:
        config = {"base_url": server.url, "client_id": "id", "client_secret": SECRET, "retry": {"max_attempts": 1}, "store": {"path": tmp_path / "cases.db"}}
        async with AsyncClient(config) as client:
            begun = time.monotonic()
            (verdict,) = await client.cases.open_many(voids(["A1"]), timeout_ms=300)
            assert verdict.outcome == "pending" and time.monotonic() - begun < 20
            with pytest.raises(atlas.RequestError, match="have the same key"):
                await client.cases.open_many(voids(["A1", "A1"]))
            assert await client.cases.open_many([]) == []

    asyncio.run(main())


def test_a_cancellation_waits_for_the_submits_under_way(atlas_simulator: Simulator, atlas_config: dict[str, Any]) -> None:
    orders = [atlas_simulator.order(airline="F9") for _ in range(40)]
    atlas_simulator.fault("void", "delay", times=0, delayMs=300)

    async def main() -> None:
        async with AsyncClient(atlas_config) as client:
            task = asyncio.ensure_future(client.cases.open_many(voids(orders), concurrency=4))
            while not atlas_simulator.requests("void"):
                await asyncio.sleep(0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            sent = len(atlas_simulator.requests("void"))
            opened = [case async for case in client.cases.list()]
            assert 0 < sent <= 8 and {case.outcome for case in opened} == {"executed"}, "none is left unknown"
            await asyncio.sleep(0.5)
            assert len(atlas_simulator.requests("void")) == sent

    asyncio.run(main())


def test_an_exception_of_progress_ends_it(atlas_simulator: Simulator, atlas_config: dict[str, Any]) -> None:
    def stop(_: Progress) -> None:
        raise ValueError("enough")

    async def main() -> None:
        async with AsyncClient(atlas_config) as client:
            orders = [atlas_simulator.order(airline="F9") for _ in range(30)]
            with pytest.raises(ValueError, match="enough"):
                await client.cases.open_many(voids(orders), progress=stop, concurrency=2)
            assert len(atlas_simulator.ledger()) <= 4

    asyncio.run(main())
