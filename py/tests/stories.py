"""Cases that went wrong, as the simulator makes them, and what an operator must be told about each.

``python stories.py`` writes them to ``stories/``; PYTHONPATH as for the tests, ATLAS_SIMULATOR as for the test kit.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from atlas_postbooking import AtlasError, Client
from atlas_postbooking.testing import Simulator

DIRECTORY = Path(__file__).parent / "stories"
LIST = "refundQueryWithoutCode=list"
#: What changes from run to run.
RANDOM = ("id", "nextDueAt", "change")


class Scene:
    """A simulated Atlas, an order, and two programs with a store each, which know nothing of each other."""

    def __init__(self, atlas: Simulator, directory: Path) -> None:
        self.atlas = atlas
        self.order = atlas.order(airline="F9", passengers=2, fare="84.75")
        self.ours, self.other = (self._client(directory / name) for name in ("ours.db", "other.db"))

    def _client(self, store: Path) -> Client:
        return Client({**self.atlas.config, "settle_ms": 60_000}, store={"path": store})

    def refund(self, client: Client, key: str, **more: Any) -> None:
        try:
            client.cases.open(kind="refund", order_no=self.order, key=key, expect={"currency": "USD"}, **more)
        except AtlasError:
            pass  # The case says how it stands.

    def follow(self, *times: str) -> None:
        for time in times:
            self.atlas.advance(time)
            self.ours.case_follow(all=True, until="step")


def _lost(scene: Scene) -> None:
    """The refund is executed, its reply is lost."""
    scene.atlas.fault("refund", "drop_after")
    scene.refund(scene.ours, "desk-4711")


def _lost_for_long(scene: Scene) -> None:
    _lost(scene)
    scene.follow("5m", "5m", "1d", "1d")


def _never_arrived(scene: Scene) -> None:
    scene.atlas.fault("refund", "drop_before")
    scene.refund(scene.ours, "desk-4711")
    scene.follow("2m", "2m", "2m")


def _double(scene: Scene) -> None:
    """Another program's refund stands; ours is submitted beside it, and answered with 816."""
    scene.refund(scene.other, "web-1")
    scene.atlas.fault("refund", "reply", body={"requestId": "req-816-77"})
    scene.refund(scene.ours, "desk-4711")


def _double_for_long(scene: Scene) -> None:
    _double(scene)
    scene.follow("2m", "1d")


def _double_seen_before(scene: Scene) -> None:
    scene.refund(scene.other, "web-1")
    scene.refund(scene.ours, "desk-4711")


def _settled_by_a_person(scene: Scene) -> None:
    _double_for_long(scene)
    case = scene.ours.cases.get("desk-4711")
    scene.ours.case_resolve(id=case.id, as_="not_executed", by="Eva", evidence="mail of Atlas, March 3, ticket 1234")


#: The profile of the vendor, and what happens.
STORIES: dict[str, tuple[str, Callable[[Scene], None]]] = {
    "lost_and_listed": (LIST, _lost),
    "lost_and_quoted": ("default", _lost),
    "lost_without_code": ("default", _lost_for_long),
    "lost_and_unknown": ("quoteAfterRefund=0", _lost),
    "never_arrived": (LIST, _never_arrived),
    "double_listed": (f"{LIST},quoteAfterRefund=0", _double),
    "double_unknown": ("quoteAfterRefund=0", _double_for_long),
    "double_seen_before": (LIST, _double_seen_before),
    "settled_by_a_person": ("quoteAfterRefund=0", _settled_by_a_person),
}


def play(name: str) -> dict[str, Any]:
    """The case of a story, and the ledger of the vendor."""
    profile, tell = STORIES[name]
    with tempfile.TemporaryDirectory() as directory, Simulator(profile) as atlas:
        scene = Scene(atlas, Path(directory))
        tell(scene)
        return {"case": scene.ours.cases.get("desk-4711").to_dict(), "ledger": atlas.ledger()}


def load(name: str) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads((DIRECTORY / f"{name}.json").read_text(encoding="utf-8"))
    return stored


if __name__ == "__main__":
    for each in STORIES:
        text = json.dumps(play(each), indent=1, ensure_ascii=False)
        (DIRECTORY / f"{each}.json").write_text(text + "\n", encoding="utf-8")
