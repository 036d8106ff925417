"""A simulated Atlas as a child process, and its control calls. Standard library only."""

import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any


class Simulator:
    """`with Simulator(binary) as atlas:` starts one and ends it."""

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

    def post(self, what: str, **body: Any) -> Any:
        """A control call."""
        text = json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sim/{what}", text, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def get(self, what: str) -> Any:
        """What the simulator knows."""
        with urllib.request.urlopen(f"{self.url}/_sim/{what}") as answer:
            return json.load(answer)

    def order(self, **wishes: Any) -> str:
        """A ticketed order, unless it is asked to be something else; its number."""
        return self.post("orders", **wishes)["orderNo"]
