"""Iterators over the order list."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import pytest
from conftest import SECRET
from scripted import Server, answer

import atlas_postbooking as atlas
from atlas_postbooking import AsyncClient, Client, OrdersMovedWarning


def page(*numbers: str | None, total: int | None = None, size: int | None = None) -> dict[str, Any]:
    return {
        "status": 0,
        "orders": [{"orderNo": number} for number in numbers],
        "totalRecords": total,
        "pageSize": size,
    }


def requested_pages(server: Server) -> list[tuple[int, int]]:
    return [(r.json["page"], r.json["pageSize"]) for r in server.requests]


def test_it_ends_when_the_total_is_reached(server: Server, client: Client) -> None:
    server.then(page("A1", "A2", total=4, size=2), page("A3", "A4", total=4, size=2))
    orders = client.iter_orders(page_size=2, airlines=["W6"])
    assert [order.order_no for order in orders] == ["A1", "A2", "A3", "A4"]
    assert requested_pages(server) == [(1, 2), (2, 2)] and server.requests[1].json["airlines"] == ["W6"]
    assert (orders.total, orders.moved, orders.pages) == (4, False, 2)
    assert list(orders) == [], "it stays exhausted"


@pytest.mark.parametrize(
    ("pages", "numbers", "requests"),
    [
        ([page()], [], 1),
        ([page("A1", size=2)], ["A1"], 1),
        ([page("A1")], ["A1"], 1),
        ([page("A1", "A2"), page("A3")], ["A1", "A2", "A3"], 2),
        ([page("A1", "A2"), page()], ["A1", "A2"], 2),
        # The vendor repeats its last page.
        ([page("A1", "A2"), page("A1", "A2")], ["A1", "A2"], 2),
        # A short page although the total is larger: a stated page size decides …
        ([page("A1", total=5, size=2)], ["A1"], 1),
        # … without one, the vendor may have reduced the page size.
        ([page("A1", total=2), page("A2", total=2)], ["A1", "A2"], 2),
        # The vendor reduced the page size and states it.
        ([page("A1", size=1), page("A2", size=1), page(size=1)], ["A1", "A2"], 3),
        # An order moved to the next page.
        ([page("A1", "A2", total=3), page("A2", "A3", total=3)], ["A1", "A2", "A3"], 2),
        # Orders without a number cannot be recognised as duplicates.
        ([page("A1", None), page(None)], ["A1", None, None], 2),
    ],
)
def test_the_end_is_recognised(
    server: Server, client: Client, pages: list[dict[str, Any]], numbers: list[str | None], requests: int
) -> None:
    server.then(*pages)
    assert [order.order_no for order in client.iter_orders(page_size=2)] == numbers
    assert len(server.requests) == requests


def test_a_changed_total_is_a_warning(server: Server, client: Client) -> None:
    server.then(page("A1", "A2", total=3), page("A3", "A4", total=4))
    orders = client.iter_orders({"pageSize": 2})
    with pytest.warns(OrdersMovedWarning, match="from 3 to 4") as warned:
        assert [order.order_no for order in orders] == ["A1", "A2", "A3", "A4"]
    assert orders.moved and orders.total == 4 and warned[0].filename == __file__


def test_no_order_is_lost_if_the_warning_is_raised(server: Server, client: Client) -> None:
    server.then(page("A1", total=3, size=1), page("A2", total=2, size=1))
    orders = client.iter_orders(page_size=1)
    numbers = [next(orders).order_no]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(OrdersMovedWarning):
            next(orders)
    assert [*numbers, *(order.order_no for order in orders)] == ["A1", "A2"]


def test_it_continues_after_a_failed_page(server: Server, client: Client) -> None:
    server.then(page("A1", "A2"), answer(b"<html>", 502), page("A3"))
    orders = client.iter_orders(page_size=2)
    assert [next(orders).order_no, next(orders).order_no] == ["A1", "A2"]
    with pytest.raises(atlas.NotExecuted):
        next(orders)
    assert [order.order_no for order in orders] == ["A3"]
    assert requested_pages(server) == [(1, 2), (2, 2), (2, 2)]


def test_defaults_and_wrong_filters(server: Server, client: Client) -> None:
    server.then(page(), page("A9", total=50, size=10))
    assert list(client.iter_orders()) == [] and requested_pages(server) == [(1, 100)]
    assert len(list(client.iter_orders({"page": "3"}, page_size="10"))) == 1
    assert requested_pages(server)[1] == (3, 10)
    with pytest.raises(atlas.RequestError, match="did you mean `airlines`"):
        next(client.iter_orders(airline=["W6"]))  # type: ignore[call-arg]
    with pytest.raises(atlas.RequestError, match="whole number"):
        client.iter_orders(page_size="many")


def test_async(server: Server) -> None:
    async def numbers() -> list[str]:
        config: Any = {"base_url": server.url, "client_id": "id", "client_secret": SECRET}
        async with AsyncClient(config) as client:
            return [str(order.order_no) async for order in client.iter_orders(page_size=2)]

    server.then(page("A1", "A2"), page("A3"))
    assert asyncio.run(numbers()) == ["A1", "A2", "A3"]
