"""AsyncClient."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop
from conftest import SECRET
from scripted import Server

import atlas_postbooking as atlas
from atlas_postbooking import AsyncClient, Client, Outcome


Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """The loop of the standard library, and the one that many services take instead."""
    chosen: Run = request.param
    return chosen


def open_async(server: Server) -> AsyncClient:
    return AsyncClient(base_url=server.url, client_id="id", client_secret=SECRET)


def test_concurrent_calls(server: Server, run: Run) -> None:
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
    run(main())


def test_a_call_does_not_block_the_event_loop(server: Server, run: Run) -> None:
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
    assert run(asyncio.wait_for(main(), 30)) >= 100


def test_a_cancelled_submit_has_the_outcome_unknown(server: Server, run: Run) -> None:
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
    cancelled = run(main())
    assert cancelled.outcome is Outcome.UNKNOWN


def test_both_clients_have_the_same_methods() -> None:
    def public(kind: type) -> dict[str, Any]:
        return {name: value for name, value in inspect.getmembers(kind, callable) if not name.startswith("_")}

    sync, other = public(Client), public(AsyncClient)
    assert sync.keys() == other.keys()
    for name, method in sync.items():
        assert inspect.signature(method).parameters.keys() == inspect.signature(other[name]).parameters.keys()
        assert inspect.iscoroutinefunction(other[name]) != (name in ("close", "iter_orders", "follow"))


def test_many_calls_take_no_thread_and_no_time_of_each_other(server: Server, run: Run) -> None:
    import threading
    import time

    from scripted import answer

    def late(peer: Any) -> None:
        time.sleep(0.3)
        peer.sendall(answer({"status": 0}))

    async def main() -> tuple[int, float]:
        async with open_async(server) as client:
            began = time.monotonic()
            calls = [asyncio.ensure_future(client.balance()) for _ in range(60)]
            await asyncio.sleep(0.05)
            threads = len([t for t in threading.enumerate() if t.name.startswith("asyncio")])
            await asyncio.gather(*calls)
            return threads, time.monotonic() - began

    server.then(*[late] * 60)
    threads, seconds = run(main())
    assert threads == 0
    assert seconds < 60 * 0.3 / 2, "one after the other"


def test_a_cancelled_call_has_its_outcome_also_through_a_timeout(server: Server, run: Run) -> None:
    async def main() -> BaseException:
        client = open_async(server)
        try:
            await asyncio.wait_for(client.void(order_no="A1", void_offer_id="q"), 0.5)
        except asyncio.TimeoutError as late:
            cause = late.__cause__ or late.__context__
            assert cause is not None
            return cause
        raise AssertionError

    server.hang()
    cause = run(main())
    assert cause.outcome is Outcome.UNKNOWN


def test_what_waits_for_a_place_was_not_sent(server: Server, run: Run) -> None:
    async def submit(client: AsyncClient) -> BaseException:
        try:
            await client.void(order_no="A1", void_offer_id="q")
        except asyncio.CancelledError as cancelled:
            return cancelled
        raise AssertionError

    async def main() -> tuple[BaseException, BaseException]:
        client = AsyncClient(base_url=server.url, client_id="id", client_secret=SECRET, max_in_flight=1)
        first = asyncio.ensure_future(submit(client))
        await asyncio.to_thread(server.wait_for, 1)
        second = asyncio.ensure_future(submit(client))
        await asyncio.sleep(0.05)
        second.cancel()
        waiting = await second
        first.cancel()
        return await first, waiting

    server.hang()
    sent, waiting = run(main())
    assert sent.outcome is Outcome.UNKNOWN
    assert waiting.outcome is Outcome.NOT_EXECUTED
    assert len(server.requests) == 1


def test_each_loop_has_its_own_calls(server: Server, run: Run) -> None:
    client = open_async(server)

    async def main() -> Any:
        return (await client.balance())["n"]

    server.then(*[{"status": 0, "n": n} for n in range(3)])
    assert [run(main()) for _ in range(3)] == [0, 1, 2]


def test_a_forked_child_makes_its_own_loop(server: Server) -> None:
    import os

    client = open_async(server)

    async def main() -> Any:
        return (await client.balance())["n"]

    async def parent() -> tuple[int, Any]:
        await main()
        child = os.fork()
        if child == 0:
            # The parent's loop is running here; a thread has none.
            import threading

            found: list[Any] = []
            thread = threading.Thread(target=lambda: found.append(asyncio.run(main())))
            thread.start()
            thread.join(20)
            os._exit(0 if found == [1] else 1)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return code, await main()

    server.then(*[{"status": 0, "n": n} for n in range(3)])
    assert asyncio.run(parent()) == (0, 2)
