"""The package: generated methods, type stubs, type checks, public names, README."""

from __future__ import annotations

import os
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scripted import Server

import atlas_postbooking
from atlas_postbooking.replies import VoidQuotationReply

PROJECT = Path(__file__).parent.parent


def run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(atlas_postbooking.__file__).parent.parent)}
    return subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True, timeout=300)


def test_the_generated_methods_are_current() -> None:
    ran = run(sys.executable, "tools/generate.py", "--check")
    assert ran.returncode == 0, ran.stderr


def test_the_native_stub_matches_the_module() -> None:
    from atlas_postbooking import _native

    stub = (PROJECT / "python/atlas_postbooking/_native.pyi").read_text(encoding="utf-8")
    declared = set(re.findall(r"^(?:def|class) (\w+)|^(\w+):", stub, re.MULTILINE))
    names = {one or other for one, other in declared}
    present = {name for name in dir(_native) if not name.startswith("_")}
    assert present | {"panic_for_tests"} == names
    for kind in ("Client", "Reply"):
        body = stub.partition(f"class {kind}:")[2].partition("\n\n")[0]
        members = {name for name in dir(getattr(_native, kind)) if not name.startswith("_")}
        assert members == set(re.findall(r"    def (\w+)", body))


def test_importing_loads_no_heavy_modules() -> None:
    program = "import sys, atlas_postbooking; print([m for m in ('asyncio', 'ssl', 'http') if m in sys.modules])"
    assert run(sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {program}").stdout == "[]\n"


def test_all_lists_every_public_name() -> None:
    listed = set(atlas_postbooking.__all__)
    assert {name for names in atlas_postbooking._MODULES.values() for name in names} == listed - {"__version__"}
    for name in listed:
        assert getattr(atlas_postbooking, name) is not None and name in dir(atlas_postbooking)
    public = {name for name, value in vars(atlas_postbooking).items() if not name.startswith("_")}
    modules = {name for name in public if isinstance(vars(atlas_postbooking)[name], type(sys))}
    assert public - modules - {"TYPE_CHECKING"} <= listed
    with pytest.raises(AttributeError, match="no attribute 'Cleint'"):
        getattr(atlas_postbooking, "Cleint")


def test_a_first_call_imports_only_what_it_needs(server: Server) -> None:
    server.then({"status": 0, "orderNo": "A1", "orderStatus": 2})
    program = (
        "import sys, atlas_postbooking as atlas\n"
        "before = [name for name in sys.modules if name.startswith('atlas_postbooking.')]\n"
        f"client = atlas.Client(base_url={server.url!r}, client_id='i', client_secret='s')\n"
        "order = client.query_order_details(order_no='A1')\n"
        "assert order.order_status == 2 and type(order).__name__ == 'QueryOrderDetailsReply'\n"
        "heavy = ('typing', 'json', 're', 'decimal', 'datetime', 'dataclasses', 'inspect', 'logging', 'asyncio', "
        "'atlas_postbooking._many', 'atlas_postbooking._async_client', 'atlas_postbooking.requests')\n"
        "print(before, [name for name in heavy if name in sys.modules])"
    )
    ran = run(sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{program}")
    assert ran.stdout == "['atlas_postbooking._native'] []\n", ran.stdout + ran.stderr


def test_pickles_are_read_where_nothing_was_used_before(tmp_path: Path) -> None:
    reply = VoidQuotationReply.build({"order_no": "A1", "void_fare_amount": {"currency": "USD"}})
    whole = (reply, reply.void_fare_amount, atlas_postbooking.NotExecuted("no"), atlas_postbooking.Outcome.UNKNOWN)
    (tmp_path / "pickle").write_bytes(pickle.dumps(whole))
    program = (
        f"import pickle; reply, part, error, outcome = pickle.loads(open({str(tmp_path / 'pickle')!r}, 'rb').read())\n"
        "print(type(reply).__name__, reply.void_fare_amount.currency, type(part).__name__, type(error).__name__, outcome)"
    )
    ran = run(sys.executable, "-c", program)
    assert ran.stdout == "VoidQuotationReply USD FareAmount NotExecuted unknown\n", ran.stderr


def snippets() -> list[str]:
    return re.findall(
        r"^```python\n(.*?)^```", (PROJECT / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )


def test_the_readme_runs(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Runs the snippets of README.md in order, with scripted answers."""
    offer = {"status": 0, "orderNo": "A1", "isVoidable": True, "voidOfferId": "q_1"}
    offer["voidFareAmount"] = {"estimatedRefundAmount": "68.59", "currency": "USD"}
    offer["voidWindow"] = {"allowVoid": True}
    offer["serviceFee"] = {"transactionFee": "0", "currency": "USD"}
    orders = {"status": 0, "orders": [{"orderNo": "A1", "depDate": "20250522"}], "totalRecords": 1}
    server.then(offer, {"status": 9999}, {"status": 0, "orderNo": "A1", "voidOrders": [{"voidOfferId": "q_1"}]})
    server.then(offer, orders, {"status": 0, "balance": "12.50"}, {**offer, "isVoidable": False})
    ticket = {"name": "KIS/EVA", "ticketNos": [{"ticketNo": "S1"}]}
    order = {"status": 0, "orderNo": "A1", "orderStatus": 2, "paxTicketInfos": [ticket]}
    server.then(order, offer, {"status": 0, "orderNo": "A1", "voidCode": "c-1", "voidStatus": 0})
    # Opened again, the case asks how its void stands.
    server.then({"status": 0, "orderNo": "A1", "voidOrders": [{"voidOfferId": "q_1", "voidStatus": 0}]}, orders)
    names: dict[str, Any] = {
        "URL": server.url,
        "STORE": str(tmp_path / "cases.db"),
        "body": '{"type":"order.void","data":{"orderNo":"A1"}}',
    }
    assert len(snippets()) >= 6
    for snippet in snippets():
        exec(compile(snippet, "README.md", "exec"), names)
    assert names["found"] and names["order"].order_no == "A1" and names["event"].kind == "void"
    paths = [request.path for request in server.requests]
    assert paths.count("/void.do") == 2, "one submit without a case, one of the case that is opened twice"
    assert paths[:3] == ["/voidQuotation.do", "/void.do", "/queryVoidOrders.do"]
    output = capsys.readouterr().out
    assert "68.59" in output and "executed atlas_processing False" in output
