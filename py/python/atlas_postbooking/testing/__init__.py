"""The simulated vendor for tests, as a child process; needs the extra ``testing``, which brings the program.

    from atlas_postbooking import Client
    from atlas_postbooking.testing import Simulator

    with Simulator() as atlas, Client(atlas.config) as client:
        order = atlas.order(passengers=2)
        atlas.fault("void", "drop_after")  # the next void is executed, and its reply is lost

The fixtures of ``atlas_postbooking.testing.plugin`` are there in every pytest of the environment.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Simulator", "find_program"]

#: The name of the program, and of the package that brings it.
_PROGRAM, _PACKAGE = "atlas-simulator", "atlas-postbooking-simulator"

Mode = Literal[
    "drop_before", "drop_after", "cut", "delay", "http", "rate_limit", "garbage", "oversize", "trickle", "late", "reply"
]


def find_program() -> Path:
    """The simulator: ``ATLAS_SIMULATOR``, else that of the installed package, else one on the path."""
    given = os.environ.get("ATLAS_SIMULATOR")
    if given:
        return Path(given)
    from importlib.metadata import PackageNotFoundError, files

    try:
        # Not by the path: a virtual environment need not be activated.
        for file in files(_PACKAGE) or []:
            if file.name in (_PROGRAM, f"{_PROGRAM}.exe"):
                return Path(str(file.locate())).resolve()
    except PackageNotFoundError:
        pass
    found = shutil.which(_PROGRAM)
    if found is None:
        raise FileNotFoundError("there is no atlas-simulator: pip install 'atlas-postbooking[testing]', or set ATLAS_SIMULATOR")
    return Path(found)


class Simulator:
    """A simulated Atlas on loopback, with orders, a clock, faults and a ledger. Ends with the ``with`` block.

    Args:
        profile: What the vendor leaves undocumented, as ``"strict"`` or ``"refundQueryWithoutCode=list"``.
        seed: The same seed and the same calls give the same bytes.
        program: The program, instead of :func:`find_program`.
    """

    def __init__(self, profile: str = "default", *, seed: int = 1, program: str | Path | None = None) -> None:
        command = [str(program or find_program()), "--seed", str(seed), "--profile", profile]
        # It ends when its input does, also if this process is killed.
        self._process = subprocess.Popen([*command, "--until-eof"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        output = self._process.stdout
        line = b"" if output is None else output.readline()
        if not line:
            self.close()
            raise RuntimeError(f"{command[0]} did not start")
        #: The base URL.
        self.url: str = json.loads(line)["url"]

    @property
    def config(self) -> dict[str, Any]:
        """The configuration of a client, with the simulator's clock; add a ``store`` for cases."""
        return {
            "base_url": self.url, "client_id": "test", "client_secret": "secret-of-tests",
            "clock": {"url": f"{self.url}/_sim/clock"},
        }  # fmt: skip

    def order(self, **options: Any) -> str:
        """Makes an order, ticketed unless ``state`` says otherwise; its number. The options are the simulator's
        (``passengers=2``, ``airline="F9"``, ``fare="84.75"``, ``createdAgo="22h"``, ``codes={"void": 905}`` …)."""
        return str(self.control("orders", options)["orderNo"])

    def change(self, order_no: str, **options: Any) -> dict[str, Any]:
        """Changes the options of an order; gives the order."""
        return dict(self.control(f"orders/{order_no}", options))

    @property
    def now(self) -> datetime:
        """The vendor's clock."""
        return datetime.fromisoformat(str(self.control("clock")["now"]).replace("Z", "+00:00"))

    def advance(self, time: str | float | timedelta) -> datetime:
        """Advances the vendor's clock: ``"30m"``, ``"2h"``, ``"3d"``, seconds, or a timedelta."""
        if isinstance(time, timedelta):
            time = time.total_seconds()
        self.control("clock", {"advance": time})
        return self.now

    def fault(self, endpoint: str, mode: Mode, *, times: int = 1, **details: Any) -> None:
        """Something goes wrong with the next requests of an operation (``"*"``: of any)."""
        self.control("faults", {"endpoint": endpoint, "mode": mode, "times": times, **details})

    def clear_faults(self) -> None:
        """Nothing goes wrong any more."""
        urlopen(Request(f"{self.url}/_sim/faults", method="DELETE"), timeout=30).close()

    def ledger(self, order_no: str | None = None, *, executed: bool | None = None) -> list[dict[str, Any]]:
        """What was submitted: the truth about what was executed, and how often."""
        rows: list[dict[str, Any]] = self.control("ledger")["entries"]
        if order_no is not None:
            rows = [row for row in rows if row["orderNo"] == order_no]
        return rows if executed is None else [row for row in rows if row["executed"] is executed]

    def requests(self, endpoint: str | None = None) -> list[dict[str, Any]]:
        """Every request that arrived, whole or cut, without the secret."""
        rows: list[dict[str, Any]] = self.control("requests")["requests"]
        return rows if endpoint is None else [row for row in rows if row["endpoint"] == endpoint]

    def set_profile(self, profile: str) -> None:
        """Changes switches, as ``"secondSubmit=814"``."""
        self.control("profile", {"profile": profile})

    def set_webhook(self, url: str | None) -> None:
        """Where notifications go; None for nowhere."""
        self.control("webhook", {"url": url})

    def events(self) -> list[dict[str, Any]]:
        """The notifications so far, and whether each was delivered."""
        return list(self.control("webhook")["events"])

    def reset(self) -> None:
        """As at the start: no orders, no faults, the clock at its beginning."""
        self.control("reset", {})

    def control(self, path: str, body: Mapping[str, Any] | Sequence[Any] | None = None) -> Any:
        """A control call of the simulator; with a body a POST."""
        data = None if body is None else json.dumps(body, default=str).encode()
        request = Request(f"{self.url}/_sim/{path}", data, {"Content-Type": "application/json"})
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def close(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
