"""Configuration, threads, the interpreter lock, processes."""

from __future__ import annotations

import os
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import open_client
from scripted import Server, answer

import atlas_postbooking as atlas
from atlas_postbooking import AsyncClient, Client


def test_configuration_by_python_and_vendor_names(server: Server) -> None:
    for client in (
        Client(base_url=server.url, client_id="id", client_secret="secret"),
        Client({"baseUrl": server.url, "clientId": "id", "clientSecret": "secret"}),
        Client({"baseUrl": server.url, "client_id": "id"}, client_secret="secret", user_agent="agency/1"),
        Client(base_url=server.url + "/some/path/", client_id="id", client_secret="secret", timeout_ms=None),
    ):
        server.then({"status": 0})
        with client as same:
            assert same is client and client.balance().ok
    assert [r.path for r in server.requests] == ["/balance.do"] * 3 + ["/some/path/balance.do"]
    assert server.requests[2].headers["user-agent"] == "agency/1"


def test_the_callers_mapping_is_not_changed(server: Server) -> None:
    config = {"baseUrl": server.url, "clientId": "id", "clientSecret": "secret", "retry": {"maxAttempts": 1}}
    before = {**config}
    Client(config)
    assert config == before


def test_clients_are_not_pickled(client: Client, server: Server) -> None:
    for each in (client, AsyncClient(base_url=server.url, client_id="id", client_secret="secret")):
        with pytest.raises(TypeError, match="holds a secret"):
            pickle.dumps(each)


@pytest.mark.parametrize("from_main", [True, False])
def test_the_interpreter_lock_is_released(server: Server, client: Client, from_main: bool) -> None:
    # The server runs in this process: without the lock it could neither answer nor count.
    ticks: list[int] = []

    def count() -> None:
        server.wait_for(1)
        for tick in range(200):
            ticks.append(tick)
            time.sleep(0.001)
        server.release.set()

    def late(peer: object) -> None:
        server.release.wait(30)
        peer.sendall(answer({"status": 0, "balance": "1.50"}))  # type: ignore[attr-defined]

    server.then(late)
    counter = threading.Thread(target=count)
    counter.start()
    if from_main:
        reply = client.balance()
    else:
        with ThreadPoolExecutor(1) as pool:
            reply = pool.submit(client.balance).result()
    counter.join()
    assert reply.ok and len(ticks) == 200


def test_many_threads(server: Server, client: Client) -> None:
    calls = 200
    server.then(*[{"status": 0, "orderNo": f"A{i}"} for i in range(calls)])
    with ThreadPoolExecutor(16) as pool:
        # The script answers in the order of arrival, so some answers have another order number.
        seen = list(pool.map(lambda i: outcome(client, i), range(calls)))
    assert len(server.requests) == calls and sorted(r.json["orderNo"] for r in server.requests) == sorted(
        f"A{i}" for i in range(calls)
    )
    assert set(seen) <= {"executed", "unknown"}


def outcome(client: Client, number: int) -> str:
    try:
        return client.void(order_no=f"A{number}", void_offer_id="q").outcome
    except atlas.OutcomeUnknown as unknown:
        assert unknown.code == "wrong_order"
        return unknown.outcome


def test_calls_of_the_main_thread_start_no_threads(server: Server, client: Client) -> None:
    before = threading.active_count()
    server.then(*[{"status": 0, "n": i} for i in range(100)])
    assert [client.balance()["n"] for _ in range(100)] == list(range(100))
    assert threading.active_count() <= before + 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_and_its_parent_can_call(server: Server) -> None:
    client = open_client(server)
    server.then({"status": 0, "n": 1}, {"status": 0, "n": 2}, {"status": 0, "n": 3})
    assert client.balance()["n"] == 1
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if client.balance()["n"] == 2 else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert client.balance()["n"] == 3


def test_a_call_ends_although_its_client_is_closed(server: Server) -> None:
    client = open_client(server)
    server.then(lambda peer: (server.release.wait(30), peer.sendall(answer({"status": 0, "n": 1})))[1])
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(client.balance)
        server.wait_for(1)
        client.close()
        del client
        server.release.set()
        assert call.result()["n"] == 1
