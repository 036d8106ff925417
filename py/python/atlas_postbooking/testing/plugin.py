"""Fixtures for pytest: a simulated Atlas, its clock, faults, ledger and notifications.

Nothing is imported or started before a test asks for a fixture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .. import AsyncClient, Client
    from . import Simulator
    from .receiver import Receiver


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "atlas(profile, seed=1): the profile and seed of the simulated Atlas of this test")


@pytest.fixture
def atlas_simulator(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    """A simulated Atlas of this test alone; ``@pytest.mark.atlas("strict")`` gives it a profile."""
    from . import Simulator

    mark = request.node.get_closest_marker("atlas")
    with Simulator(*(mark.args if mark else ()), **(mark.kwargs if mark else {})) as simulator:
        yield simulator


@pytest.fixture
def atlas_config(atlas_simulator: Simulator, tmp_path: Path) -> dict[str, Any]:
    """The configuration of a client of it, with a store in ``tmp_path``."""
    return {**atlas_simulator.config, "store": {"path": str(tmp_path / "atlas-cases.db")}}


@pytest.fixture
def atlas_client(atlas_config: dict[str, Any]) -> Iterator[Client]:
    """A client of it with a store."""
    from .. import Client

    with Client(atlas_config) as client:
        yield client


@pytest.fixture
def atlas_async_client(atlas_config: dict[str, Any]) -> Iterator[AsyncClient]:
    """An AsyncClient of it with a store."""
    from .. import AsyncClient

    client = AsyncClient(atlas_config)
    yield client
    client.close()


@pytest.fixture
def atlas_clock(atlas_simulator: Simulator) -> Callable[..., Any]:
    """Advances the vendor's clock, which is the client's as well: ``atlas_clock("3d")``."""
    return atlas_simulator.advance


@pytest.fixture
def atlas_faults(atlas_simulator: Simulator) -> Callable[..., None]:
    """Lets something go wrong: ``atlas_faults("refund", "drop_after")``."""
    return atlas_simulator.fault


@pytest.fixture
def atlas_ledger(atlas_simulator: Simulator) -> Callable[..., list[dict[str, Any]]]:
    """What was submitted and executed: ``atlas_ledger(order_no, executed=True)``."""
    return atlas_simulator.ledger


@pytest.fixture
def atlas_webhooks(atlas_simulator: Simulator) -> Iterator[Receiver]:
    """A receiver of the notifications: ``bodies``, and ``wait()`` for the next one."""
    from .receiver import Receiver

    with Receiver() as receiver:
        atlas_simulator.set_webhook(receiver.url)
        yield receiver
