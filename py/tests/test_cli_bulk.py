"""``bulk``: what spreadsheets save, where they cannot be read, and runs that are interrupted, killed and resumed."""

from __future__ import annotations

import csv
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from command import Operator

from atlas_postbooking.testing import Simulator

pytest.importorskip("click")

from atlas_postbooking.cli import csvfile
from atlas_postbooking.cli.csvfile import Unreadable


@pytest.fixture
def desk(atlas_simulator: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Operator:
    return Operator(atlas_simulator, tmp_path, capsys)


def verdicts(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


#: The same table, as different programs save it.
SAVED = {
    "plain": b"order_no,kind,currency,min_refund\nA1,void,USD,60.50\n",
    "Excel, UTF-8 with its mark": b"\xef\xbb\xbfOrder No,Kind,Currency,Min. Refund\r\nA1,void,USD,60.50\r\n",
    "Excel in a country with a decimal comma": b"\xef\xbb\xbfOrder No.;Kind;Currency;Min Refund\r\nA1;void;USD;60,50\r\n",
    "with thousands": b"order;kind;currency;min_refund\r\nA1;void;USD;0.060,50\r\n",
    "thousands, English": b'order,kind,currency,min_refund\r\nA1,void,USD,"0,060.50"\r\n',
    "empty last lines and columns": b"order_no,kind,currency,min_refund,,\r\nA1,VOID,usd,60.50,,\r\n,,,,,\r\n\r\n,,,\r\n",
    "Unicode text": "order_no\tkind\tcurrency\tmin_refund\r\nA1\tvoid\tUSD\t60,50\r\n".encode("utf-16"),
    "its own mark of the separator": b"sep=;\r\norder_no;kind;currency;min_refund\r\nA1;void;USD;60,50\r\n",
    "no line end, quoted": b'"order_no";"kind";"currency";"min_refund"\r\n"A1";"void";"USD";"60,50"',
    "old Mac line ends": b"order_no,kind,currency,min_refund\rA1,void,USD,60.50\r",
}


@pytest.mark.parametrize("name", SAVED)
def test_what_spreadsheets_save(name: str, tmp_path: Path) -> None:
    from atlas_postbooking.cli.bulk import _request

    path = tmp_path / "orders.csv"
    path.write_bytes(SAVED[name])
    table = csvfile.read(path)
    (row,) = table.rows
    made = _request(table, row, None, None, None)
    assert made["order_no"] == "A1" and made["kind"] == "void" and made["expect"]["currency"] == "USD"
    assert float(made["expect"]["min_refund"]) == 60.5 and made["key"] == "void-A1"


#: What cannot be read, and what the message must name.
WRONG = {
    "a number made of an order": (b"order_no,kind\nTESTA1,void\n2.02603E+18,void\n", "row 3, column order_no", "format the column as text"),
    "an amount with its currency": (b"order_no,kind,min_refund,currency\nA,void,$60,USD\n", "row 2, column min_refund", "'$60' is no amount"),
    "an amount read in two ways": (b"order_no;kind;min_refund;currency\nA;void;1.234;USD\n", "row 2, column min_refund", "two ways"),
    "an amount without currency": (b"order_no,kind,min_refund\nA,void,60\n", "row 2", "needs a currency"),
    "a kind": (b"order_no,kind\r\nA,void\r\n\r\nB,voyd\r\n", "row 4, column kind", "'voyd' is not one of"),
    "an unknown column": (b"order_no,knid\nA,void\n", "column knid", "the columns are order_no, kind"),
    "no kind": (b"order_no,kind\nA,\n", "row 2, column kind", "is empty"),
    "no order": (b"order_no,kind\n,void\n", "row 2, column order_no", "is empty"),
    "twice the same": (b"order_no,kind\nA,void\nB,void\nA,void\n", "rows 2 and 4", "ask for the same"),
    "more cells than columns": (b"order_no,kind\nA,void,60,50\n", "row 2", "must be quoted"),
    "an open quote": (b'order_no,kind\n"A,void\n', "row 2", "unexpected end"),
    "a workbook": (b"PK\x03\x04xxxx", "workbook", "CSV UTF-8"),
    "two columns of one meaning": (b"order,order_no,kind\nA,B,void\n", "row 1", "two columns give order_no"),
    "broken characters": (b"order_no,kind\nA\x81\x8d,void\n", "row 2, column order_no", "CSV UTF-8"),
    "nothing": (b"", "empty", ""),
    "a header only": (b"order_no,kind\n", "no rows", ""),
}


@pytest.mark.parametrize("name", WRONG)
def test_where_it_cannot_be_read(name: str, desk: Operator) -> None:
    content, where, why = WRONG[name]
    path = desk.directory / "orders.csv"
    path.write_bytes(content)
    told = desk("bulk", str(path), "--live", code=2).err
    assert where in told and why in told and "Nothing was sent" in told, told
    assert desk.atlas.requests() == []


@pytest.mark.parametrize(
    ("cell", "comma", "amount"),
    [
        ("60", False, "60"), ("60.5", False, "60.5"), ("60,5", False, "60.5"), ("1,234.50", False, "1234.50"), ("1.234,50", True, "1234.50"),
        ("1 234,50", True, "1234.50"), ("1'234.50", False, "1234.50"), ("1.234", False, "1.234"), ("1,234", True, "1.234"),
        ("1.234.567,8", True, "1234567.8"), ("0,5", True, "0.5"),
    ],
)  # fmt: skip
def test_amounts(cell: str, comma: bool, amount: str) -> None:
    assert csvfile.amount(cell, comma) == amount


@pytest.mark.parametrize(("cell", "comma"), [("1,234", False), ("1.234", True), ("1,23,456", False), ("-5", False), ("", False), ("1,2,3", True), ("5.", True), (".5", False), ("6e3", False)])
def test_no_amounts(cell: str, comma: bool) -> None:
    with pytest.raises(ValueError):
        csvfile.amount(cell, comma)


def write(path: Path, orders: Iterable[str], kind: str = "void") -> Path:
    path.write_text("order_no;kind;currency;min_refund\r\n" + "".join(f"{no};{kind};USD;20,00\r\n" for no in orders), encoding="utf-8-sig")
    return path


def test_dry_run_then_live(desk: Operator) -> None:
    orders = [desk.atlas.order(airline="F9", fare="84.75") for _ in range(3)]
    path = write(desk.directory / "orders.csv", [*orders, "NOPE"])
    assert "3 of 4 can be done; nothing was submitted" in desk("bulk", str(path), "--dry-run", code=1).out
    plan = verdicts(desk.directory / "orders-plan.csv", ";")
    assert [row["estimated_refund"] for row in plan] == ["84.75"] * 3 + [""] and "not_found" in plan[3]["note"]
    assert desk.atlas.ledger() == [] and "give --live" in desk("bulk", str(path), code=2).err
    done = desk("bulk", str(path), "--live", code=1)
    assert "executed      3" in done.out
    rows = verdicts(desk.directory / "orders-verdicts.csv", ";")
    assert [row["outcome"] for row in rows] == ["executed"] * 3 + ["not_executed"] and [row["row"] for row in rows] == list("2345")
    assert [row["code"] for row in rows[:3]] == [row["result"] for row in sorted(desk.atlas.ledger(), key=lambda row: orders.index(row["orderNo"]))]
    assert "UTC" in rows[0]["sent_at"] and "not_found" in rows[3]["error"]
    desk("bulk", str(path), "--live", "--json", code=1)
    assert len(desk.atlas.ledger()) == 3, "the same command again submits nothing"
    again = verdicts(desk.directory / "orders-plan.csv", ";") if desk("bulk", str(path), "--dry-run", code=1) else []
    assert "has a case already: executed" in again[0]["note"]


def test_of_many_the_worst_and_what_is_in_the_way(desk: Operator) -> None:
    desk.atlas.set_profile("quoteAfterRefund=0")
    first, second = (desk.atlas.order(airline="F9", fare="84.75") for _ in range(2))
    desk.atlas.fault("refund", "drop_after")
    desk("refund", first, "--live", "--key", "by hand", code=4)
    path = write(desk.directory / "orders.csv", [first, second], "refund")
    desk("bulk", str(path), "--live", code=1)
    rows = verdicts(desk.directory / "orders-verdicts.csv", ";")
    assert rows[0]["error"] == "conflict" and "in the way: case by hand" in rows[0]["message"] and rows[0]["state"] == ""
    third = desk.atlas.order(airline="F9", fare="84.75")
    desk.atlas.fault("refund", "drop_after")
    desk("bulk", str(write(path, [third, second], "refund")), "--live", code=4)


def wait_for_ledger(atlas: Simulator, count: int) -> None:
    end = time.monotonic() + 60
    while len(atlas.ledger()) < count:
        assert time.monotonic() < end, "the run does not go on"
        time.sleep(0.02)


def test_killed_half_way_and_resumed(desk: Operator) -> None:
    orders = [desk.atlas.order(airline="F9", fare="84.75") for _ in range(120)]
    path = write(desk.directory / "orders.csv", orders)
    process = desk.start("bulk", str(path), "--live", "--concurrency", "8")
    wait_for_ledger(desk.atlas, 60)
    process.kill()
    process.communicate()
    half = len(desk.atlas.ledger(executed=True))
    written = verdicts(desk.directory / "orders-verdicts.csv", ";")
    assert 40 < half < 120 and 40 < len(written) <= half, "what was known is on the disk"
    resumed = desk("bulk", str(path), "--live", "--concurrency", "8", code=None)
    # What was being sent at the kill may be unknown for the settle time; then the vendor's list says it.
    assert resumed.code in (0, 4)
    for _ in range(3):
        desk.atlas.advance("2m")
        desk("cases", "reconcile", "--all", code=None)
    last = desk("bulk", str(path), "--live", "--concurrency", "8", code=None)
    executed = Counter(row["orderNo"] for row in desk.atlas.ledger(executed=True))
    assert set(executed.values()) == {1}, "nothing twice"
    rows = verdicts(desk.directory / "orders-verdicts.csv", ";")
    assert [row["order_no"] for row in rows] == orders
    for row in rows:
        assert row["outcome"] == ("executed" if executed[row["order_no"]] else "not_executed")
    assert last.code == (0 if len(executed) == 120 else 1) and len(executed) >= 120 - 8
    assert max(Counter(json.loads(each["body"])["orderNo"] for each in desk.atlas.requests("void") if each["bodyComplete"]).values()) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_and_resumed(desk: Operator, number: int) -> None:
    orders = [desk.atlas.order(airline="F9", fare="84.75") for _ in range(60)]
    path = write(desk.directory / "orders.csv", orders)
    desk.atlas.fault("voidQuotation", "delay", times=0, delayMs=30)
    process = desk.start("bulk", str(path), "--live")
    wait_for_ledger(desk.atlas, 10)
    os.kill(process.pid, number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130 and "the same command goes on where it was" in told and "Traceback" not in told, told
    rows = verdicts(desk.directory / "orders-verdicts.csv", ";")
    assert 5 < len(rows) < 60 and {row["outcome"] for row in rows} == {"executed"}
    desk.atlas.clear_faults()
    desk("bulk", str(path), "--live", "--concurrency", "16")
    assert Counter(row["orderNo"] for row in desk.atlas.ledger(executed=True)) == dict.fromkeys(orders, 1)


def test_what_the_vendor_refuses_for_now_waits(desk: Operator) -> None:
    orders = [desk.atlas.order(airline="F9", fare="84.75") for _ in range(6)]
    desk.atlas.set_profile("clock=real")
    desk.atlas.fault("void", "rate_limit", times=2, delayMs=1000)
    desk("bulk", str(write(desk.directory / "orders.csv", orders)), "--live")
    assert len(desk.atlas.ledger(executed=True)) == 6
