"""AsyncClient."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
from conftest import SECRET
from scripted import Server

import atlas_postbooking as atlas
from atlas_postbooking import AsyncClient, Client, Outcome


def open_async(server: Server) -> AsyncClient:
    return AsyncClient(base_url=server.url, client_id="id", client_secret=SECRET)


def test_concurrent_calls(server: Server) -> None:
    async def main() -> None:
        async with open_async(server) as client:
            assert SECRET not in repr(client)
            replies = await asyncio.gather(*(client.balance() for _ in range(20)), client.call("balance"))
            assert sorted(reply["n"] for reply in replies) == list(range(21))
            with pytest.raises(atlas.Refused):
                await client.void(order_no="A1", void_offer_id="q")
            with pytest.raises(atlas.RequestError):
                await client.void_quotation(order_n="A1")  # type: ignore[arg-type]
            assert (await client.parse_webhook("{}")).kind == "unknown"
        with pytest.raises(atlas.LibraryError):
            await client.balance()

    server.then(*[{"status": 0, "n": i} for i in range(21)], {"status": 801})
    asyncio.run(main())


def test_a_call_does_not_block_the_event_loop(server: Server) -> None:
    async def main() -> int:
        client = open_async(server)
        call = asyncio.ensure_future(client.balance())
        ticks = 0
        while not server.requests or ticks < 100:
            await asyncio.sleep(0.001)
            ticks += 1
        server.release.set()
        await call
        return ticks

    from scripted import answer

    def late(peer: Any) -> None:
        server.release.wait(30)
        peer.sendall(answer({"status": 0}))

    server.then(late)
    assert asyncio.run(asyncio.wait_for(main(), 30)) >= 100


def test_a_cancelled_submit_has_the_outcome_unknown(server: Server) -> None:
    async def submit() -> BaseException:
        try:
            await open_async(server).void(order_no="A1", void_offer_id="q")
        except asyncio.CancelledError as cancelled:
            return cancelled
        raise AssertionError

    async def main() -> BaseException:
        # Caught inside the task: Python 3.10 raises a new exception where the task is awaited.
        call = asyncio.ensure_future(submit())
        await asyncio.to_thread(server.wait_for, 1)
        call.cancel()
        cancelled = await call
        server.release.set()
        return cancelled

    server.hang()
    cancelled = asyncio.run(main())
    assert cancelled.outcome is Outcome.UNKNOWN  # type: ignore[attr-defined]


def test_both_clients_have_the_same_methods() -> None:
    def public(kind: type) -> dict[str, Any]:
        return {name: value for name, value in inspect.getmembers(kind, callable) if not name.startswith("_")}

    sync, other = public(Client), public(AsyncClient)
    assert sync.keys() == other.keys()
    for name, method in sync.items():
        assert inspect.signature(method).parameters.keys() == inspect.signature(other[name]).parameters.keys()
        assert inspect.iscoroutinefunction(other[name]) != (name in ("close", "iter_orders", "follow"))
