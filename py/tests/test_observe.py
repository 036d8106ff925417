"""Log lines, spans, counters: what they have, and what they never have."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import SECRET, open_client
from scripted import Server

import atlas_postbooking as atlas
from atlas_postbooking import AsyncClient, Client

OFFER = {"status": 0, "requestId": "r-7", "orderNo": "A1", "isVoidable": True, "voidTickets": [{"name": "KIS/EVA"}]}


def test_a_line_for_each_attempt(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """Repetitions of a read, and the queries within a case: each has its operation, outcome, request id and time."""
    caplog.set_level(logging.DEBUG, "atlas_postbooking")
    host = server.url.partition("://")[2]
    server.then(None, {"status": 429}, OFFER)
    with open_client(server, retry={"max_attempts": 3, "base_delay_ms": 1}) as client:
        client.void_quotation(order_no="A1")
        lines = [record.getMessage() for record in caplog.records]
        assert [line.partition(": ")[0] for line in lines[:3]] == [f"voidQuotation attempt {n}" for n in (1, 2, 3)]
        assert ": not_executed, io, http none, vendor status none, request id none, " in lines[0]
        assert ": not_executed, rate_limited, http 200, vendor status 429, " in lines[1]
        assert ": executed, ok, http 200, vendor status 0, request id r-7, " in lines[2]
        assert all(line.endswith(f" ms, host {host}") for line in lines[:3]) and "attempts=3" in lines[3]
        assert (caplog.records[0].levelname, vars(caplog.records[0])["atlas_operation"]) == ("DEBUG", "voidQuotation")
        # Nobody reads them: none are made.
        caplog.clear()
        caplog.set_level(logging.INFO, "atlas_postbooking")
        server.then(OFFER)
        reply = client.void_quotation(order_no="A1")
        assert reply and caplog.records == []
        assert client._core._native is not None and client._core._native.call(b"balance", b"{", b"").attempts == []


def test_a_line_for_each_call(server: Server, client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "atlas_postbooking")
    caplog.handler.addFilter(lambda record: " attempt " not in record.getMessage())
    server.then(OFFER, {"status": 805, "msg": "KIS/EVA no"}, {"status": 9999})
    client.void_quotation(order_no="A1")
    with pytest.raises(atlas.Refused):
        client.void(order_no="A1", void_offer_id="q")
    with pytest.raises(atlas.OutcomeUnknown):
        client.void(order_no="A1", void_offer_id="q")
    levels = [(record.levelname, record.name) for record in caplog.records]
    assert levels == [(level, "atlas_postbooking") for level in ("DEBUG", "WARNING", "ERROR")]
    host = server.url.partition("://")[2]
    first, second, third = (record.getMessage() for record in caplog.records)
    assert first.startswith(f"operation=voidQuotation outcome=executed host={host} http_status=200 vendor_status=0")
    assert "request_id=r-7" in first and "attempts=1" in first and "elapsed_ms=" in first
    assert "outcome=not_executed code=refused" in second and "vendor_status=805" in second
    assert "outcome=unknown code=vendor_uncertain" in third
    record: Any = caplog.records[1]
    assert (record.atlas_operation, record.atlas_outcome, record.atlas_vendor_status) == ("void", "not_executed", 805)
    whole = "".join(str(vars(record)) for record in caplog.records)
    assert not [word for word in ("KIS", "EVA", SECRET, "A1") if word in whole]


def test_a_broken_filter_does_not_cost_the_reply(server: Server, client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "atlas_postbooking")
    log = logging.getLogger("atlas_postbooking")

    def broken(record: logging.LogRecord) -> bool:
        raise RuntimeError("broken filter")

    log.addFilter(broken)
    try:
        server.then(OFFER)
        assert client.void_quotation(order_no="A1").order_no == "A1"
    finally:
        log.removeFilter(broken)


def test_nothing_is_printed_without_a_handler(server: Server) -> None:
    program = (
        "import logging, sys\nfrom atlas_postbooking import AtlasError, Client\n"
        "try: Client(base_url=sys.argv[1], client_id='i', client_secret='s').void(order_no='A1', void_offer_id='q')\n"
        "except AtlasError as error: print(error.outcome)"
    )
    server.then({"status": 9999})
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = {[str(Path(atlas.__file__).parent.parent)]!r}\n{program}", server.url]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.stderr) == ("unknown\n", "")


def test_counters(server: Server, tmp_path: Path) -> None:
    client = open_client(server, store={"path": str(tmp_path / "cases.db")})
    server.then(OFFER, OFFER, {"status": 805})
    client.void_quotation(order_no="A1")
    client.void_quotation(order_no="A1")
    with pytest.raises(atlas.Refused):
        client.void(order_no="A1", void_offer_id="q")
    lines = client.metrics().splitlines()
    assert 'atlas_postbooking_calls_total{operation="voidQuotation",outcome="executed",code=""} 2' in lines
    assert 'atlas_postbooking_calls_total{operation="void",outcome="not_executed",code="refused"} 1' in lines
    assert 'atlas_postbooking_call_seconds_count{operation="voidQuotation"} 2' in lines
    assert "atlas_postbooking_cases_open 0" in lines and "# TYPE atlas_postbooking_cases_open gauge" in lines
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
    assert "cases_open" not in open_client(server).metrics(), "without a store"


def test_async_and_cancelled_calls(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> str:
        config: Any = {"base_url": server.url, "client_id": "i", "client_secret": SECRET}
        async with AsyncClient(config) as client:
            await client.void_quotation(order_no="A1")
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.void(order_no="A1", void_offer_id="q"), 0.3)
            return await client.metrics()

    server.then(OFFER).hang()
    text = asyncio.run(main())
    assert 'calls_total{operation="void",outcome="unknown",code="interrupted"} 1' in text
    assert [record.getMessage().split(" host")[0] for record in caplog.records] == [
        "operation=void outcome=unknown code=interrupted"
    ]


def test_spans(server: Server, client: Client) -> None:
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    export = pytest.importorskip("opentelemetry.sdk.trace.export")
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    from opentelemetry import trace

    exporter = memory.InMemorySpanExporter()
    provider = sdk.TracerProvider()
    provider.add_span_processor(export.SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    server.then(OFFER, {"status": 9999, "msg": "KIS/EVA"})
    with trace.get_tracer("program").start_as_current_span("outer") as outer:
        client.void_quotation(order_no="A1")
        with pytest.raises(atlas.OutcomeUnknown):
            client.void(order_no="A1", void_offer_id="q")
    quote, void, _ = exporter.get_finished_spans()
    assert (quote.name, void.name) == ("atlas_postbooking voidQuotation", "atlas_postbooking void")
    assert quote.parent.span_id == outer.get_span_context().span_id and quote.kind is trace.SpanKind.CLIENT
    assert quote.attributes["atlas.request_id"] == "r-7" and quote.attributes["server.address"] == "127.0.0.1"
    assert quote.status.is_ok and not void.status.is_ok and void.status.description == "vendor_uncertain"
    assert void.attributes["atlas.outcome"] == "unknown" and quote.end_time > quote.start_time
    assert "KIS" not in quote.to_json() + void.to_json() and SECRET not in void.to_json()
