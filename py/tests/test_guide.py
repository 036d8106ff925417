"""Runs the snippets of docs/guide/python.md."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import SECRET
from scripted import Server

import atlas_postbooking as atlas

GUIDE = Path(__file__).parents[2] / "docs/guide/python.md"
TICKET = {"name": "KIS/EVA", "ticketNos": [{"ticketNo": "S1"}]}
ORDER = {"status": 0, "orderNo": "A1", "orderStatus": 2, "paxTicketInfos": [TICKET]}
OFFER = {
    "status": 0,
    "orderNo": "A1",
    "isVoidable": True,
    "voidOfferId": "q_1",
    "voidFareAmount": {"estimatedRefundAmount": "68.59", "currency": "USD"},
    "voidWindow": {"allowVoid": True},
    "serviceFee": {"transactionFee": "0", "currency": "USD"},
}
VOIDED = {"status": 0, "orderNo": "A1", "voidCode": "c-1", "voidStatus": 0}
BODY = b'{"type":"order.void","data":{"orderNo":"A1","voidStatus":1}}'


def section(title: str) -> list[str]:
    text = GUIDE.read_text(encoding="utf-8").partition(f"\n## {title}")[2].partition("\n## ")[0]
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def run(title: str, names: dict[str, Any]) -> None:
    snippets = section(title)
    assert snippets, f"no snippet under {title}"
    for snippet in snippets:
        exec(compile(snippet, f"python.md, {title}", "exec"), names)


@pytest.fixture
def names(server: Server, tmp_path: Path) -> Iterator[dict[str, Any]]:
    store = str(tmp_path / "cases.db")
    yield {
        "__name__": "guide",
        "URL": server.url,
        "CLIENT_ID": "id",
        "CLIENT_SECRET": SECRET,
        "STORE": store,
        "BROKER": "memory://",
        "Client": atlas.Client,
    }


def open_case(server: Server, names: dict[str, Any]) -> str:
    server.then(ORDER, OFFER, VOIDED)
    config: Any = {"base_url": server.url, "client_id": "id", "client_secret": SECRET, "store": {"path": names["STORE"]}}
    with atlas.Client(config) as client:
        return str(client.case_open(kind="void", order_no="A1", key="k").case.id)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_fastapi(server: Server, names: dict[str, Any]) -> None:
    testing = pytest.importorskip("fastapi.testclient", exc_type=ImportError)
    case = open_case(server, names)
    run("A receiver of notifications", names)
    with testing.TestClient(names["app"]) as web:
        first = web.post("/atlas/notifications", content=BODY)
        assert (first.status_code, first.json()) == (200, {"cases": [case], "duplicate": False})
        assert web.post("/atlas/notifications", content=BODY).json()["duplicate"] is True
        assert web.post("/atlas/notifications", content=b"[]").status_code == 400


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_celery(server: Server, names: dict[str, Any]) -> None:
    pytest.importorskip("celery")
    run("Tasks", names)
    names["open_client"]()
    names["tasks"].conf.task_always_eager = True
    server.then(ORDER, OFFER, VOIDED)
    done = names["void"].delay("A1", "booking-1")
    assert done.get() == "atlas_processing"
    assert names["void"].delay("A1", "booking-1").get() == "atlas_processing"
    assert [request.path for request in server.requests].count("/void.do") == 1
    second = {"orderNo": "A2"}
    server.then({**ORDER, **second}, {**OFFER, **second, "voidOfferId": "q_2"}, {"status": 9999})
    assert names["void"].delay("A2", "booking-2").get() == "unknown"
    assert [request.path for request in server.requests].count("/void.do") == 2


def test_notebooks_and_metrics(server: Server, names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    import logging

    orders = {"status": 0, "orders": [{"orderNo": "A1", "depDate": "20250522"}], "totalRecords": 1}
    server.then({**OFFER, "voidTickets": [{"name": "KIS/EVA"}]}, orders)
    run("Notebooks", names)
    shown = names["quote"]._repr_html_()
    assert "<table>" in shown and "q_1" in shown and "KIS" not in shown
    assert names["rows"][0]["depDate"] == "2025-05-22"
    try:
        run("Logs, metrics, spans", names)
    finally:
        logging.getLogger("atlas_postbooking").setLevel(logging.NOTSET)
    assert 'calls_total{operation="orderList",outcome="executed",code=""} 1' in capsys.readouterr().out


def test_the_test_kit(tmp_path: Path) -> None:
    (snippet,) = section("Tests of a program")
    (tmp_path / "test_snippet.py").write_text(snippet)
    environment = {**os.environ, "PYTHONPATH": str(Path(atlas.__file__).parent.parent)}
    # Installed, the package brings the plugin by its entry point.
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "atlas_postbooking.testing.plugin", "-p", "no:cacheprovider"]
    ran = subprocess.run([*command, "test_snippet.py"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "1 passed" in ran.stdout, ran.stdout + ran.stderr
