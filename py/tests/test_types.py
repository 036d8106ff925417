"""What type checkers know: every field, and eight mistakes that each of them must find."""

from __future__ import annotations

import importlib.util
import json
import os
import pickle
import subprocess
import sys
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest

import atlas_postbooking.replies
from atlas_postbooking import Outcome, Record, Reply
from atlas_postbooking.replies import Case, CaseReply, QueryOrderDetailsReply, VoidQuotationReply

PROJECT = Path(__file__).parent.parent
PACKAGE = Path(atlas_postbooking.__file__).parent

HEAD = """\
from atlas_postbooking import Client
client = Client(base_url="https://x", client_id="i", client_secret="s", store={"path": "p", "witness_file": "w"})
"""
#: The mistake, and the line without it.
MISTAKES = {
    "result field": ("client.void_quotation(order_no='A').void_fare_amuont", "client.void_quotation(order_no='A').void_fare_amount"),
    "nested result field": (
        "[t.original_totl for t in client.void_quotation(order_no='A').void_tickets or []]",
        "[t.original_total_amount for t in client.void_quotation(order_no='A').void_tickets or []]",
    ),
    "kind": ("client.case_open(kind='cancle', order_no='A', key='k')", "client.case_open(kind='cancel', order_no='A', key='k')"),
    "expect key": (
        "client.case_open(kind='void', order_no='A', key='k', expect={'min_refnd': '1'})",
        "client.case_open(kind='void', order_no='A', key='k', expect={'min_refund': '1'})",
    ),
    "option": ("client.balance(options={'timeout': 5})", "client.balance(options={'timeout_ms': 5})"),
    "configuration key": ("Client(base_ur='https://x')", "Client(base_url='https://x')"),
    "filter": ("client.iter_orders(airline=['W6'])", "client.iter_orders(airlines=['W6'])"),
    "state in a filter": ("client.case_list(state='refundet')", "client.case_list(state='refunded')"),
    "store key": ("Client(base_url='x', store={'pth': 'x'})", "Client(base_url='x', store={'path': 'x'})"),
    "nested request key": (
        "client.case_open(kind='ancillary', order_no='A', key='k', products=[{'product_cod': 'B'}])",
        "client.case_open(kind='ancillary', order_no='A', key='k', products=[{'product_code': 'B'}])",
    ),
    "name of an operation's reply": ("client.call('balance').account_balanc", "client.call('balance').account_balance"),
}


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), **environment}
    return subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True, timeout=300)


def needs(tool: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(importlib.util.find_spec(tool) is None, reason=f"{tool} is not installed")


@needs("mypy")
def test_mypy() -> None:
    ran = run(sys.executable, "-m", "mypy", "python", "tests", "tools")
    assert ran.returncode == 0, ran.stdout


@needs("mypy")
def test_stubtest() -> None:
    ran = run(sys.executable, "-m", "mypy.stubtest", "atlas_postbooking", "--allowlist", str(PROJECT / "tests/stubtest.txt"))
    assert ran.returncode == 0, ran.stdout


@needs("pyright")
def test_pyright_in_strict_mode() -> None:
    ran = run(sys.executable, "-m", "pyright", "--pythonpath", sys.executable)
    assert ran.returncode == 0, ran.stdout


@needs("pyright")
def test_the_types_are_complete() -> None:
    ran = run(sys.executable, "-m", "pyright", "--verifytypes", "atlas_postbooking", "--ignoreexternal", "--outputjson")
    completeness = json.loads(ran.stdout)["typeCompleteness"]
    assert completeness["exportedSymbolCounts"]["withKnownType"] > 900 and completeness["completenessScore"] >= 0.95


def write_programs(directory: Path) -> list[int]:
    """Writes wrong.py and right.py; gives the lines of wrong.py that are wrong: all but the head."""
    head = len(HEAD.splitlines())
    for i, name in enumerate(("wrong.py", "right.py")):
        body = "\n".join(f"print({pair[i]})" for pair in MISTAKES.values())
        (directory / name).write_text(HEAD + body + "\n", encoding="utf-8")
    return list(range(head + 1, head + len(MISTAKES) + 1))


@needs("mypy")
def test_mypy_finds_the_mistakes(tmp_path: Path) -> None:
    wrong = write_programs(tmp_path)
    ran = run(sys.executable, "-m", "mypy", "--strict", str(tmp_path / "wrong.py"), str(tmp_path / "right.py"))
    found = [line.split(":") for line in ran.stdout.splitlines() if ": error:" in line]
    assert not [parts for parts in found if not parts[0].endswith("wrong.py")], ran.stdout
    assert sorted({int(parts[1]) for parts in found}) == wrong, ran.stdout


@needs("pyright")
def test_pyright_finds_the_mistakes(tmp_path: Path) -> None:
    wrong = write_programs(tmp_path)
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict", "reportMissingModuleSource": false}')
    ran = run(sys.executable, "-m", "pyright", "-p", str(tmp_path), "--pythonpath", sys.executable, "--outputjson")
    found = json.loads(ran.stdout)["generalDiagnostics"]
    assert not [each for each in found if not each["file"].endswith("wrong.py")], ran.stdout
    assert sorted({each["range"]["start"]["line"] + 1 for each in found}) == wrong, ran.stdout


def test_every_reply_has_its_class() -> None:
    for op in atlas_postbooking.describe()["operations"]:
        name = op["reply"]["title"]
        kind = getattr(atlas_postbooking.replies, name if name.endswith("Reply") else f"{name}Reply")
        assert op["name"] in kind._operations and issubclass(kind, Reply)
        declared = {name for base in kind.__mro__ for name in vars(base).get("__annotations__", {})}
        wanted = {field["x-attribute"] for field in op["reply"]["properties"].values()}
        assert wanted <= declared


def test_replies_and_cases_can_be_built() -> None:
    reply = VoidQuotationReply.build(
        {"order_no": "A1", "voidOfferId": "q", "void_fare_amount": {"estimated_refund_amount": Decimal("60.50")}},
        meta={"requestId": "r"},
    )
    assert reply and reply.outcome is Outcome.EXECUTED and reply["orderNo"] == "A1" and reply.void_method is None
    assert reply.void_fare_amount is not None and reply.void_fare_amount.estimated_refund_amount == Decimal("60.50")
    assert reply.meta.request_id == "r" and reply.meta.attempts == 1 and reply.case is None
    assert pickle.loads(pickle.dumps(reply)) == reply and type(pickle.loads(pickle.dumps(reply))) is VoidQuotationReply
    moment = datetime(2026, 3, 2, 8, tzinfo=timezone.utc)
    case = Case.build({"key": "k", "outcome": "executed", "state": "a new state", "created_at": moment, "steps": []})
    assert case.state not in ("refunded",) and case.created_at == moment and isinstance(case, Record)
    opened = CaseReply.build({"key": "k", "outcome": "pending", "steps": [{"name": "void", "attempts": 1}]})
    assert opened.outcome is Outcome.PENDING and opened.case.steps is not None and opened.case.steps[0].attempts == 1
    nested = QueryOrderDetailsReply.build({"routing": {"from_segments": [{"dep_time": datetime(2026, 3, 2, 8, 5)}]}})
    assert nested.routing is not None and nested.routing.from_segments is not None
    assert nested.routing.from_segments[0].dep_time == datetime(2026, 3, 2, 8, 5)
    with pytest.raises(TypeError, match="VoidQuotationReply has no field 'void_fare_amuont'"):
        VoidQuotationReply.build({"void_fare_amuont": 1})
    with pytest.raises(TypeError, match="cannot be a float"):
        VoidQuotationReply.build({"void_fare_amount": {"currency": 1.5}})
    with pytest.raises(TypeError, match="by its class"):
        Reply.build({})
