"""``client.cases``: pages, and many cases at once, interrupted, paced, killed and resumed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import SECRET, open_client
from scripted import Server, answer

import atlas_postbooking as atlas
from atlas_postbooking import CaseVerdict, Client, Progress
from atlas_postbooking.requests import CaseOpenRequest
from atlas_postbooking.testing import Simulator


@contextmanager
def simulator() -> Iterator[Simulator]:
    with Simulator("clock=real,refundQueryWithoutCode=list") as atlas:
        yield atlas


def executed(vendor: Simulator) -> list[str]:
    """The orders of the executed submits, from the simulator's own ledger."""
    return sorted(row["orderNo"] for row in vendor.ledger(executed=True))


def made(vendor: Simulator, count: int) -> list[str]:
    return [vendor.order(airline="F9", fare="100.00") for _ in range(count)]


def voids(orders: list[str]) -> list[CaseOpenRequest]:
    return [{"kind": "void", "order_no": order, "key": f"void-{order}"} for order in orders]


@pytest.fixture
def client_with_store(server: Server, tmp_path: Path) -> Iterator[Client]:
    with open_client(server, store={"path": tmp_path / "cases.db"}) as client:
        yield client


def void_directly(client: Client, server: Server, *orders: str) -> None:
    """Makes one case for each order."""
    for order in orders:
        server.then({"status": 0, "orderNo": order, "voidCode": f"c-{order}", "voidStatus": 0})
        client.void(order_no=order, void_offer_id=f"q-{order}")


def test_one_case(server: Server, client_with_store: Client) -> None:
    cases = client_with_store.cases
    server.then(None)
    with pytest.raises(atlas.OutcomeUnknown) as lost:
        client_with_store.void(order_no="A1", void_offer_id="q_1")
    assert lost.value.reply is not None and lost.value.reply.case is not None
    id = lost.value.reply.case.id
    assert id is not None and cases.get(id=id).outcome == "unknown"
    key = cases.get(id=id).key
    assert key is not None and cases.get(key).id == id
    server.then({"status": 0, "orderNo": "A1", "voidOrders": [{"orderNo": "A1", "voidOfferId": "q_1", "voidStatus": 0}]})
    assert cases.reconcile(key).case.outcome == "executed"
    with pytest.raises(atlas.CaseConflict):
        cases.resolve(key, as_="not_executed", by="me", evidence="none")
    with pytest.raises(atlas.AtlasError) as missing:
        cases.get("nobody")
    assert missing.value.code == "not_found"


def test_a_verdict_of_a_person_takes_the_key(server: Server, client_with_store: Client) -> None:
    server.then(None)
    with pytest.raises(atlas.CasePending):
        client_with_store.cases.open(kind="void", order_no="A1", key="k")
    resolved = client_with_store.cases.resolve("k", as_="executed", by="Eva", evidence={"text": "mail", "code": "c-9"})
    assert (resolved.outcome, resolved.code) == ("executed", "c-9")
    (evidence,) = [each for each in resolved.evidence or [] if each.strength == "human"]
    assert "Eva" in str(evidence.what)


def test_lists_go_over_all_pages(server: Server, client_with_store: Client) -> None:
    orders = [f"A{number}" for number in range(7)]
    void_directly(client_with_store, server, *orders)
    cases = client_with_store.cases
    for limit in (1, 2, 3, 7, 8, None):
        listed = cases.list(limit=limit)
        assert [each.order_no for each in listed] == orders
        assert listed.next_change is None
    assert [each.order_no for each in cases.list(order_no="A3")] == ["A3"]
    assert list(cases.list(open=False)) == []
    assert [row["orderNo"] for row in cases.export()] == orders
    assert [row["orderNo"] for row in cases.export(order_no="A2")] == ["A2"]


@pytest.mark.parametrize("limit", [1, 2, 7, 8])
def test_a_reader_of_changes_misses_none_and_reads_none_twice(
    server: Server, client_with_store: Client, limit: int
) -> None:
    orders = [f"A{number}" for number in range(7)]
    void_directly(client_with_store, server, *orders)
    first = client_with_store.cases.list(changed_since=0, limit=limit)
    assert [each.order_no for each in first] == orders
    again = client_with_store.cases.list(changed_since=first.next_change, limit=limit)
    assert list(again) == []
    void_directly(client_with_store, server, "B1")
    later = client_with_store.cases.list(changed_since=again.next_change, limit=limit)
    assert [each.order_no for each in later] == ["B1"]


def test_keys_are_checked_before_anything_is_sent(server: Server, client_with_store: Client) -> None:
    broken: Any = [{"kind": "void", "order_no": "A1"}]
    with pytest.raises(atlas.RequestError, match="request 0 has no key"):
        client_with_store.cases.open_many(broken)
    twice = voids(["A1", "A2", "A1"])
    with pytest.raises(atlas.RequestError, match="requests 0 and 2 have the same key"):
        client_with_store.cases.open_many(twice)
    assert not server.requests
    assert client_with_store.cases.open_many([]) == []


def test_each_request_gets_its_own_verdict(server: Server, client_with_store: Client) -> None:
    bad: Any = {"kind": "void", "order_nr": "A1", "key": "bad"}
    server.then({"status": 0, "orderNo": "A2", "orderStatus": 0})
    seen: list[Progress] = []
    verdicts = client_with_store.cases.open_many([bad, *voids(["A2"])], progress=seen.append, concurrency=1)
    assert [(each.index, each.key, each.outcome) for each in verdicts] == [
        (0, "bad", "not_executed"),
        (1, "void-A2", "not_executed"),
    ]
    assert isinstance(verdicts[0].error, atlas.RequestError) and verdicts[0].case is None
    assert isinstance(verdicts[1].error, atlas.GuardError)
    assert [(each.done, each.total, each.verdict) for each in seen] == [(1, 2, verdicts[0]), (2, 2, verdicts[1])]


def limited(retry_after: str) -> bytes:
    return answer({"code": 429, "status": 429}, 429, f"Retry-After: {retry_after}\r\n")


def test_what_is_refused_for_now_waits_and_is_opened_again(server: Server, client_with_store: Client) -> None:
    server.then(limited("1"), {"status": 0, "orderNo": "A1", "orderStatus": 0})
    seen: list[Progress] = []
    begun = time.monotonic()
    (verdict,) = client_with_store.cases.open_many(voids(["A1"]), progress=seen.append)
    assert isinstance(verdict.error, atlas.GuardError) and verdict.attempts >= 2, verdict
    assert time.monotonic() - begun >= 0.9, "the pause was kept"
    assert seen[0].verdict is None and 0 < seen[0].pause_ms <= 5000 and seen[-1].done == 1
    assert len(server.requests) == 2, "nothing was asked during the pause"


def test_the_end_of_the_time_leaves_a_pending_verdict(server: Server, client_with_store: Client) -> None:
    server.then(limited("60"))
    begun = time.monotonic()
    (verdict,) = client_with_store.cases.open_many(voids(["A1"]), timeout_ms=300)
    assert verdict.outcome == "pending" and isinstance(verdict.error, atlas.CasePending)
    assert time.monotonic() - begun < 20


def test_lost_replies_and_limits_execute_every_order_once(tmp_path: Path) -> None:
    with simulator() as vendor, open_simulated(vendor, tmp_path) as client:
        orders = made(vendor, 24)
        vendor.fault("void", "drop_after", times=0, probability=0.2)
        vendor.fault("void", "rate_limit", delayMs=1000, times=3)
        verdicts = client.cases.open_many(voids(orders), concurrency=8)
        assert [each.key for each in verdicts] == [f"void-{order}" for order in orders]
        assert {str(each.outcome) for each in verdicts} == {"executed"}, verdicts
        assert executed(vendor) == sorted(orders)
        # Resumed, nothing is submitted again.
        again = client.cases.open_many(voids(orders))
        assert [each.outcome for each in again] == [each.outcome for each in verdicts]
        assert executed(vendor) == sorted(orders)


def open_simulated(vendor: Simulator, directory: Path) -> Client:
    return Client(base_url=vendor.url, client_id="id", client_secret=SECRET, store={"path": directory / "cases.db"})


PROGRAM = """\
import sys
from atlas_postbooking import Client

url, store, *orders = sys.argv[1:]
with Client(base_url=url, client_id="id", client_secret="s", store={"path": store}) as client:
    requests = [{"kind": "void", "order_no": order, "key": f"void-{order}"} for order in orders]
    client.cases.open_many(requests, progress=lambda made: print(made.done, flush=True))
"""


def test_a_killed_run_is_resumed_and_nothing_is_executed_twice(tmp_path: Path) -> None:
    with simulator() as vendor:
        orders = made(vendor, 60)
        program = tmp_path / "program.py"
        program.write_text(PROGRAM)
        command = [sys.executable, str(program), vendor.url, str(tmp_path / "cases.db"), *orders]
        environment = {**os.environ, "PYTHONPATH": str(Path(atlas.__file__).parent.parent)}
        for kill_at in (10, 30):
            with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                for line in process.stdout:
                    if int(line) >= kill_at:
                        process.kill()
                        break
                process.stdout.read()
        killed = executed(vendor)
        assert 0 < len(killed) < len(orders), "the runs were killed half-way"
        assert len(set(killed)) == len(killed)
        with open_simulated(vendor, tmp_path) as client:
            verdicts: list[CaseVerdict] = client.cases.open_many(voids(orders))
            done = executed(vendor)
            assert len(set(done)) == len(done), "no order twice"
            # An intent that the kill left unsent is unknown until the settle time is over, and is never sent again.
            outcomes = {order: str(each.outcome) for order, each in zip(orders, verdicts)}
            assert {outcomes[order] for order in done} <= {"executed", "unknown"}
            assert {outcomes[order] for order in set(orders) - set(done)} <= {"unknown"}
            assert list(outcomes.values()).count("unknown") <= 2 * 4, "at most what was under way at each kill"


def test_an_exception_of_progress_ends_the_call_after_the_submits_under_way(
    server: Server, client_with_store: Client
) -> None:
    def stop(_: Progress) -> None:
        raise KeyboardInterrupt

    server.then(*[{"status": 0, "orderNo": f"A{number}", "orderStatus": 0} for number in range(50)])
    with pytest.raises(KeyboardInterrupt):
        client_with_store.cases.open_many(voids([f"A{number}" for number in range(50)]), progress=stop, concurrency=2)
    assert len(server.requests) <= 4, "what was not handed out is not opened"
