"""The report: its sums are those of case.list, and the page is one file that loads nothing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import defaultdict
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from command import Operator

from atlas_postbooking.testing import Simulator

pytest.importorskip("click")


@pytest.fixture
def desk(atlas_simulator: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Operator:
    """With cases in many states, in two currencies."""
    desk = Operator(atlas_simulator, tmp_path, capsys)
    atlas = desk.atlas
    atlas.set_profile("quoteAfterRefund=0")
    for currency, fares in (("USD", ("84.75", "120.10", "99.99", "33.33")), ("EUR", ("15.01", "200.00"))):
        for fare in fares:
            desk("void" if fare[0] == "8" else "refund", atlas.order(airline="F9", fare=fare, currency=currency, passengers=2), "--live")
        atlas.advance("1d")
    with desk.client() as client:
        client.case_follow(all=True, until="step")
    for _ in range(2):
        atlas.fault("refund", "drop_after")
        desk("refund", atlas.order(airline="F9", fare="50.05"), "--live", code=4)
    desk("refund", atlas.order(airline="F9", refundQuote="CannotQuote"), "--accept-unquoted", "--live")
    desk("void", atlas.order(airline="F9", state="unpaid"), "--live", code=1)
    code = desk("--json", "bag", no := atlas.order(airline="F9")).json["products"][0]["productCode"]
    desk("bag", no, "--product", code, "--live", code=3)
    desk("void", atlas.order(airline="F9", fare="10.00"), "--live", "--key", "<b>&\"'")
    return desk


def listed(desk: Operator) -> list[dict[str, Any]]:
    """case.list, as the core gives it."""
    with desk.client() as client:
        page: dict[str, Any] = json.loads(client.case_list(open=True, limit=500).json)["data"]
    assert page["next"] is None
    return list(page["cases"])


def test_the_sums_are_those_of_case_list(desk: Operator) -> None:
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    cases = listed(desk)
    for case in cases:
        money = case["money"] or {}
        total = sums[str(money.get("currency"))]
        if case["kind"] == "ancillary":
            total["to_pay"] += Decimal(money["paid"])
        elif money.get("estimatedRefund") and case["outcome"] in ("executed", "unknown"):
            total["coming_back"] += Decimal(money["estimatedRefund"])
            total["fees"] += Decimal(money["fee"])
            total["unknown"] += Decimal(money["estimatedRefund"]) if case["outcome"] == "unknown" else 0
    made = desk("--json", "cases", "report").json
    assert made["open"] == len(cases) == sum(made["states"].values()) == sum(made["ages"].values())
    assert made["unknown"] == sum(case["outcome"] == "unknown" for case in cases) == 2
    assert set(made["sums"]) == {"USD", "EUR"}
    for currency, total in sums.items():
        shown = made["sums"][currency]
        for name in ("coming_back", "fees", "unknown", "to_pay"):
            assert Decimal(shown[name]) == total[name], (currency, name)
    assert made["sums"]["USD"]["without_amount"] == 1, "the airline decides"
    with desk.client() as client:
        assert made["stuck"] == client.case_stats().stuck


class Page(HTMLParser):
    """Tags, texts and addresses of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.cells: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [str(value) for name, value in attrs if name in ("src", "href", "xlink:href", "action", "data", "xmlns")]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in ("meta", "br"):
            self._open.append(tag)
        if tag in ("td", "th", "b", "code"):
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if self.cells and self._open and self._open[-1] in ("td", "th", "b", "code"):
            self.cells[-1] += data


def test_the_page(desk: Operator, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    desk("cases", "report", "--html", str(path))
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert "script" not in page.tags and page.addresses == [] and "link" not in page.tags and "img" not in page.tags
    assert not re.search(r"https?://(?!127\.0\.0\.1)|url\(|@import", text)
    assert page.tags.count("svg") >= 4 and page.tags.count("rect") > 6 and page.tags.count("circle") == len(listed(desk))
    made = desk("--json", "cases", "report").json
    for currency, total in made["sums"].items():
        assert total["coming_back"] in page.cells and f"{total['coming_back']} {currency}" in page.cells
    for case in listed(desk):
        assert case["key"] in page.cells and case["orderNo"] in page.cells
    assert "<b>&\"'" in page.cells, "a key is text"
    assert "secret-of-tests" not in text and "LARCH" not in text
    assert desk("cases", "report", "--html", "-").out.partition("<style>")[0].endswith("</title>")


def test_a_page_without_cases(atlas_simulator: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    desk = Operator(atlas_simulator, tmp_path, capsys)
    page = Page(desk("cases", "report", "--html", "-").out)
    assert page.tags.count("svg") == 0 and page.cells[:4] == ["0", "0", "0", "-"]


def test_a_browser_shows_it(desk: Operator, tmp_path: Path) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no chromium")
    path, picture = tmp_path / "report.html", tmp_path / "report.png"
    desk("cases", "report", "--html", str(path))
    options = [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path / 'browser'}", "--hide-scrollbars",
    ]  # fmt: skip
    ran = subprocess.run([browser, *options, f"--screenshot={picture}", "--window-size=1100,2400", f"file://{path}"], capture_output=True, text=True, timeout=120)
    assert picture.exists() and picture.stat().st_size > 50_000, ran.stderr[-1000:]
    drawn = subprocess.run([browser, *options, "--dump-dom", f"file://{path}"], capture_output=True, text=True, timeout=120).stdout
    assert drawn.count("<svg") == path.read_text(encoding="utf-8").count("<svg") and "Content-Security-Policy" in drawn
