"""The simulator as a child process, and its control calls. Standard library only."""

import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any


class Simulator:
    """`with Simulator(binary) as atlas:` starts one and kills it at the end."""

    def __init__(self, binary: Path, *args: str) -> None:
        self._process = subprocess.Popen([str(binary), *args], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url: str = json.loads(self._process.stdout.readline())["url"]

    def __enter__(self) -> "Simulator":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def post(self, path: str, **body: Any) -> Any:
        """A control call that changes something: orders, faults, clock."""
        text = json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sim/{path}", text, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def clear_faults(self) -> None:
        request = urllib.request.Request(f"{self.url}/_sim/faults", method="DELETE")
        urllib.request.urlopen(request).close()

    def get(self, path: str) -> Any:
        """A control call that reads: ledger, requests, webhook."""
        with urllib.request.urlopen(f"{self.url}/_sim/{path}") as answer:
            return json.load(answer)

    def order(self, **fields: Any) -> str:
        """Creates an order, ticketed unless `state` says otherwise; its number."""
        return str(self.post("orders", **fields)["orderNo"])
