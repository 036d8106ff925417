from __future__ import annotations

from collections.abc import Iterator

import pytest
from scripted import Server

from atlas_postbooking import Client

# Installed, the package brings it by its entry point.
pytest_plugins = ["atlas_postbooking.testing.plugin"]

SECRET = "s3cr3t-of-the-tests"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with open_client(server) as client:
        yield client


def open_client(server: Server, **config: object) -> Client:
    retry = {"max_attempts": 1}
    return Client(**{"base_url": server.url, "client_id": "id", "client_secret": SECRET, "retry": retry, **config})  # type: ignore[arg-type]
