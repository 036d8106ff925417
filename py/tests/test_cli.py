"""The command line: what it prints, what it asks, how it ends; against the simulator, with real stores."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command import PACKAGE, Operator

from atlas_postbooking import AtlasError
from atlas_postbooking.testing import Simulator

pytest.importorskip("click")


@pytest.fixture
def desk(atlas_simulator: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Operator:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return Operator(atlas_simulator, tmp_path, capsys)


def order(atlas: Simulator, **options: Any) -> str:
    return atlas.order(**{"airline": "F9", "passengers": 2, "fare": "84.75", **options})


def test_help_names_every_command(desk: Operator) -> None:
    from atlas_postbooking.cli.app import _COMMANDS

    text = desk("--help").out
    for name in _COMMANDS:
        assert name in text
        assert desk(name, "--help").out.startswith("Usage: atlas-postbooking")


def test_orders(desk: Operator) -> None:
    first, second = order(desk.atlas), order(desk.atlas, state="unpaid")
    listed = desk("orders", "list").out
    assert first in listed and second in listed and "ticketed" in listed
    (only,) = desk("--json", "orders", "list", "--status", "unpaid").json["orders"]
    assert only["orderNo"] == second
    assert "LARCH/KILO A" in desk("orders", "show", first).out
    assert desk("orders", "show", "NOPE", code=1).err.startswith("Refused")
    assert len(desk("orders", "list", "--limit", "1", "--json").json["orders"]) == 1


def test_amounts_of_a_request_file_are_exact(desk: Operator) -> None:
    more = desk.directory / "request.json"
    more.write_text('{"expect": {"currency": "USD", "min_refund": 20.10}}', encoding="utf-8")
    desk("refund", order(desk.atlas), "--live", "--request", str(more))
    # No binary fraction has these digits.
    more.write_text('{"expect": {"currency": "USD", "min_refund": 10000000000000000.01}}', encoding="utf-8")
    refused = desk("refund", order(desk.atlas), "--live", "--request", str(more), code=1).err
    assert "less than expect.minRefund 10000000000000000.01" in refused
    assert len(desk.atlas.ledger(executed=True)) == 1


def test_nothing_is_sent_without_live(desk: Operator) -> None:
    no = order(desk.atlas)
    for command in (("refund", no), ("void", no), ("cancel", no), ("stop", no), ("bag", no, "--product", "BG1")):
        assert "give --live. Nothing was sent" in desk(*command, code=2).err
    assert desk.atlas.ledger() == [] and desk.atlas.requests() == [] and not desk.store.exists()


def test_a_word_typed_on_a_terminal_is_as_good(desk: Operator) -> None:
    no = order(desk.atlas)
    for typed, code, executed in (("yes", 2, 0), (no, 0, 1)):
        keyboard, terminal = pty.openpty()
        command = [sys.executable, "-m", "atlas_postbooking.cli", "--config", str(desk.config), "void", no]
        environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
        process = subprocess.Popen(command, env=environment, stdin=terminal, stdout=subprocess.PIPE, stderr=terminal, text=True)
        os.close(terminal)
        os.write(keyboard, f"{typed}\n".encode())
        out, _ = process.communicate(timeout=60)
        shown = os.read(keyboard, 4096).decode()
        os.close(keyboard)
        assert process.returncode == code, shown
        assert "cannot be withdrawn" in shown and len(desk.atlas.ledger(executed=True)) == executed
        assert ("EXECUTED. Atlas has this void" in out) is bool(executed)


def test_a_void_and_its_exit_codes(desk: Operator) -> None:
    no = order(desk.atlas)
    assert "better: void" in desk("plan", no).out
    done = desk("void", no, "--live", "--json", "--currency", "USD", "--min-refund", "20")
    assert done.json["outcome"] == "executed" and done.json["case"]["key"] == f"void-{no}"
    assert desk("void", no, "--live", "--currency", "USD", "--min-refund", "20").out.startswith("EXECUTED")
    assert len(desk.atlas.ledger()) == 1, "the same command is the same case"
    other = order(desk.atlas)
    refused = desk("void", other, "--live", "--currency", "USD", "--min-refund", "9000", code=1)
    assert "GuardError" in refused.err and len(desk.atlas.ledger()) == 1
    desk.atlas.fault("void", "rate_limit", delayMs=5000)
    assert "CasePending" in desk("void", other, "--live", "--key", "again", code=3).err
    desk.atlas.fault("refund", "drop_after")
    lost = desk("refund", other, "--live", "--key", "another", code=1)
    assert "CaseConflict" in lost.err, "the pending void has the order"
    desk.atlas.advance("6s")
    third = order(desk.atlas)
    desk.atlas.set_profile("quoteAfterRefund=0")
    desk.atlas.fault("refund", "drop_after")
    unknown = desk("refund", third, "--live", code=4)
    assert unknown.err.startswith("UNKNOWN") and f"cases show refund-{third}" in unknown.err


def test_of_some_passengers_and_with_waiting(desk: Operator) -> None:
    no = order(desk.atlas)
    desk("refund", no, "--passengers", "2", "--live", "--wait", "0.2")
    (case,) = desk("cases", "list", "--json").json["cases"]
    assert case["passengers"] == [2] and case["key"] == f"refund-{no}-p2"
    desk("refund", no, "--passengers", "1", "--live")
    assert len(desk.atlas.ledger(no, executed=True)) == 2


def test_a_purchase_with_its_payment(desk: Operator) -> None:
    no = order(desk.atlas)
    products = desk("bag", no, "--json").json["products"]
    code = str(products[0]["productCode"])
    assert code in desk("bag", no).out
    waits = desk("bag", no, "--product", code, "--live", "--passengers", "1", "--json", code=3).json
    assert waits["case"]["state"] == "awaiting_payment"
    desk("bag", no, "--product", code, "--live", "--passengers", "1", "--pay", "deposit")
    assert [row["endpoint"] for row in desk.atlas.ledger(executed=True)] == ["postBookingAncillaryOrder", "pay"]


def test_cases_show_of_a_lost_reply_and_of_a_double(desk: Operator, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    desk.atlas.set_profile("refundQueryWithoutCode=list,quoteAfterRefund=0")
    no = order(desk.atlas)
    desk.atlas.fault("refund", "drop_after")
    desk("refund", no, "--live", "--key", "desk-1")
    shown = desk("cases", "show", "desk-1").out
    (row,) = desk.atlas.ledger()
    for part in (no, row["offerId"], "2026-03-02 08:00:00 UTC (16:00:00 in Singapore)", "none: no answer with one arrived",
                 f"queryRefundOrders lists {row['offerId']}", "Proves that it was executed", "Its reply was lost", "What to do",
                 "Dear Atlas support"):  # fmt: skip
        assert part in shown, part
    web = Operator(desk.atlas, tmp_path, capsys, "web")
    desk.atlas.fault("refund", "reply", body={"requestId": "req-816-1"})
    web("refund", no, "--live", "--key", "web-1")
    shown = web("cases", "show", "web-1").out
    for part in ("BY ANOTHER PROGRAM", "req-816-1", "executed by another program's request", f"orders show {no}", row["offerId"]):
        assert part in shown, part
    assert f"another program's; case web-1 follows it" in web("orders", "show", no).out
    assert "case desk-1" in desk("orders", "show", no).out
    by_id = web("--json", "cases", "show", web("--json", "cases", "show", "web-1").json["case"]["id"]).json
    assert by_id["verdict"].startswith("EXECUTED, BY") and by_id["textForAtlas"] and by_id["commands"]
    assert "no such case" in desk("cases", "show", "nope", code=4).err


def test_changes_since_the_last_look(desk: Operator) -> None:
    first, second = order(desk.atlas), order(desk.atlas)
    desk("void", first, "--live")
    assert "under way: 1" in desk("cases", "changes").out
    assert desk("cases", "changes", "--json").json["cases"] == []
    desk("void", second, "--live", "--currency", "EUR", code=1)
    told = desk("cases", "changes").out
    assert "failed: 1" in told and f"void-{second}" in told and f"void-{first}" not in told
    everything = desk("cases", "changes", "--since", "0", "--json").json
    assert len(everything["cases"]) == 2 and everything["next"] > 0
    assert "0 changed" in desk("cases", "changes").err, "--since is no look"
    desk.atlas.advance("1d")
    desk("cases", "reconcile", f"void-{first}")
    assert "arrived: 1" in desk("cases", "changes").out


def test_list_and_stuck_as_case_stats_counts(desk: Operator) -> None:
    desk.atlas.set_profile("quoteAfterRefund=0")
    orders = [order(desk.atlas) for _ in range(3)]
    desk("void", orders[0], "--live")
    desk.atlas.fault("refund", "drop_after")
    desk("refund", orders[1], "--live", code=4)
    desk.atlas.fault("void", "drop_before")
    desk.atlas.fault("queryOrderDetails", "drop_before", times=9)
    desk("void", orders[2], "--live", code=3)
    desk.atlas.clear_faults()
    for time in ("1s", "23h", "2h", "3d"):
        desk.atlas.advance(time)
        if time != "1s":
            desk("cases", "reconcile", "--all", code=4)
        with desk.client() as client:
            stats = client.case_stats()
        assert len(desk("cases", "list", "--stuck", "--json").json["cases"]) == stats.stuck
        assert len(desk("cases", "list", "--json").json["cases"]) == stats.open
    assert stats.stuck == 2
    assert orders[1] in desk("cases", "list", "--order", orders[1]).out


def test_resolve_asks_for_name_and_evidence(desk: Operator) -> None:
    desk.atlas.set_profile("quoteAfterRefund=0")
    no = order(desk.atlas)
    desk.atlas.fault("refund", "drop_after")
    desk("refund", no, "--live", code=4)
    assert "--by, --evidence" in desk("cases", "resolve", f"refund-{no}", "--as", "executed", code=2).err
    done = desk("cases", "resolve", f"refund-{no}", "--as", "executed", "--by", "Eva", "--evidence", "mail of March 3", "--code", "202603-0001")
    assert "is executed" in done.out
    assert "by a person's word: Eva says executed: mail of March 3" in desk("cases", "show", f"refund-{no}").out
    assert "202603-0001" in desk("orders", "show", no).out, "the code makes the entry readable"


def test_export(desk: Operator) -> None:
    no = order(desk.atlas)
    ran = subprocess.run([*_program(desk), "void", no, "--live", "--key", "=cmd()"], capture_output=True)
    assert ran.returncode == 0, ran.stderr
    lines = subprocess.run([*_program(desk), "cases", "export"], capture_output=True, text=True).stdout.splitlines()
    assert [json.loads(line)["key"] for line in lines] == ["=cmd()"]
    exported = subprocess.run([*_program(desk), "cases", "export", "--csv"], capture_output=True).stdout
    assert exported.startswith(b"\xef\xbb\xbf") and b"\r\n" in exported
    (row,) = csv.DictReader(io.StringIO(exported.decode("utf-8-sig")))
    assert row["key"] == "'=cmd()" and row["orderNo"] == no and row["estimatedRefund"] == "169.5"


def _program(desk: Operator) -> list[str]:
    os.environ["PYTHONPATH"] = str(PACKAGE.parent)
    return [sys.executable, "-m", "atlas_postbooking.cli", "--config", str(desk.config)]


def test_json_is_one_document_also_of_a_failure(desk: Operator) -> None:
    failed = desk("void", "NOPE", "--live", "--json", code=1).json
    assert failed["ok"] is False and failed["outcome"] == "not_executed" and failed["error"]["code"] == "not_found"
    assert desk("cases", "get", code=2).err.startswith("Usage")
    values = {**desk.values, "store": None}
    desk.config.write_text(json.dumps(values))
    assert "no store is configured" in desk("cases", "list", code=2).err


def test_configuration_and_secrets(desk: Operator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from atlas_postbooking.cli import settings

    secret = tmp_path / "given"
    secret.write_text("s3cret\n")
    made = settings.read(str(desk.config), {"account": "main"}, {"ATLAS_CLIENT_SECRET_FILE": str(secret), "ATLAS_STORE": "/x", "ATLAS_ACCOUNT": "no"})
    assert made.values["clientSecret"] == "s3cret" and made.values["store"] == {"path": "/x"} and made.values["account"] == "main"
    assert made.sources["clientSecret"] == f"file {secret}" and made.sources["store.path"] == "$ATLAS_STORE"
    assert "s3cret" not in repr(made)
    assert settings.read(str(desk.config), {}, {"ATLAS_CLIENT_SECRET": "e"}).values["clientSecret"] == "e"
    for name, text, wrong in (("a", None, "cannot be read"), ("b", "{", "is no JSON"), ("c", "[]", "must be a JSON object")):
        path = tmp_path / name
        if text is not None:
            path.write_text(text)
        assert wrong in desk("--config", str(path), "cases", "list", code=2).err
    monkeypatch.setenv("ATLAS_CLIENT_SECRET_FILE", str(tmp_path / "nothing"))
    assert "cannot be read: No such file" in desk("cases", "list", code=2).err
    assert "ATLAS_BASE_URL" in _without_configuration()


def _without_configuration() -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ATLAS_")} | {"PYTHONPATH": str(PACKAGE.parent)}
    ran = subprocess.run([sys.executable, "-m", "atlas_postbooking.cli", "orders", "list"], env=environment, capture_output=True, text=True)
    assert ran.returncode == 2
    return ran.stderr


def test_the_secret_and_passengers_are_never_told(desk: Operator) -> None:
    no = order(desk.atlas)
    texts = [desk("void", no, "--live").out, desk("cases", "list").out, desk("cases", "show", f"void-{no}").out, desk("doctor").out]
    texts += [desk("cases", "export").out, desk("cases", "report", "--html", "-").out]
    for text in texts:
        assert "secret-of-tests" not in text and "LARCH" not in text


def test_doctor(desk: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    def results(code: int) -> dict[str, tuple[str, str]]:
        return {each["name"]: (each["result"], each["what"]) for each in desk("doctor", "--json", code=code).json["findings"]}

    whole = results(0)
    assert {name for name, (result, _) in whole.items() if result == "ok"} >= {
        "configuration", "secret", "DNS", "connection", "credentials", "store", "follow-up",
    }  # fmt: skip
    Path(str(desk.values["clientSecretFile"])).chmod(0o644)
    assert results(1)["secret"][0] == "bad"
    Path(str(desk.values["clientSecretFile"])).chmod(0o600)
    no = order(desk.atlas)
    desk("void", no, "--live")
    desk.atlas.advance("2h")
    result, what = results(1)["follow-up"]
    assert result == "bad" and "1 cases have been due" in what
    Path(str(desk.values["clientSecretFile"])).write_text("wrong")
    assert results(1)["credentials"][0] == "bad"
    desk.config.write_text(json.dumps({**desk.values, "base_url": "http://127.0.0.1:1"}))
    found = results(1)
    assert found["connection"][0] == "bad" and "refused" in found["connection"][1] and found["credentials"] == ("skipped", "needs connection")
    desk.config.write_text(json.dumps({**desk.values, "base_url": "https://nothing.invalid"}))
    assert results(1)["DNS"][0] == "bad"
    desk.config.write_text(json.dumps({**desk.values, "base_ur": "x"}))
    found = results(2)
    assert found["configuration"][0] == "bad" and found["store"][0] == "skipped"


def test_store(desk: Operator, tmp_path: Path) -> None:
    desk("void", order(desk.atlas), "--live")
    assert desk("store", "check").out.endswith("whole\n")
    copy = tmp_path / "copy.db"
    assert "copied to" in desk("store", "backup", str(copy)).out and copy.stat().st_size > 10_000
    assert "is there already" in desk("store", "backup", str(copy), code=2).err
    assert "not rewound" in desk("store", "confirm", "--by", "Eva", "--evidence", "x", code=2).err
    # Put back, it sends nothing until somebody confirmed.
    desk.config.write_text(json.dumps({**desk.values, "store": {"path": str(copy)}}))
    desk("void", order(desk.atlas), "--live", code=4)
    desk("store", "confirm", "--by", "Eva", "--evidence", "compared with the vendor's lists")
    desk("void", order(desk.atlas), "--live")
    # Moved into another file, with a name for whose cases they are.
    desk.config.write_text(json.dumps({**desk.values, "account": "desk", "store": {"path": str(copy)}}))
    desk("cases", "list")
    target = {**desk.values, "account": "desk", "store": {"path": str(tmp_path / "new.db")}}
    desk.config.write_text(json.dumps(target))
    assert desk("store", "import", str(copy), "--dry-run").out.startswith("would move ")
    assert desk("store", "import", str(copy)).out.startswith("moved ")
    assert "moved before" in desk("store", "import", str(copy)).out
    desk("void", order(desk.atlas), "--live")
    desk.config.write_text(json.dumps({**target, "store": {"path": str(copy)}}))
    desk("void", order(desk.atlas), "--live", code=4)
    desk.store.chmod(0o644)
    desk.config.write_text(json.dumps(desk.values))
    assert "others could read it" in desk("store", "check", code=1).out


def test_a_damaged_store_is_told(desk: Operator) -> None:
    desk("void", order(desk.atlas), "--live")
    desk.store.write_bytes(b"\0" * 4096)
    with pytest.raises(AtlasError), desk.client() as client:
        client.case_stats()
    assert "LibraryError" in desk("store", "check", code=1).err


def test_commands_start_quickly() -> None:
    """A program that is started in a loop loads neither what draws tables nor the web server."""
    program = "import sys, atlas_postbooking.cli.app as a; a.run(['--help']); print([m for m in ('rich', 'http.server', 'asyncio', 'ssl') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)}, capture_output=True, text=True)
    assert ran.stdout.splitlines()[-1] == "[]", ran.stderr


def test_without_click_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise ImportError('none')\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{PACKAGE.parent}"}
    ran = subprocess.run([sys.executable, "-m", "atlas_postbooking.cli"], env=environment, capture_output=True, text=True)
    assert ran.returncode == 1 and "pip install 'atlas-postbooking[cli]'" in ran.stderr
