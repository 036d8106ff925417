"""`make upgrade`: a store file that an earlier release and this one meet on, in both orders, killed in the middle.

The earlier release is built from the history of the repository, which takes minutes the first time; its library is kept
in build/upgrade. The last line is `N passed, N failed`.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import building
from results import SuiteResult
from scene import NOW, Scene, scene, wait_for

# The last commit whose store has layout 1.
EARLIER = "624d1ae"
HOME = building.BUILD / "upgrade"
OLD = HOME / "libatlas_postbooking.so"
BAG = {"products": [{"productCode": "SIM_BAG_1PC_15KG"}]}


def earlier_release() -> None:
    if OLD.exists():
        return
    source = HOME / "source"
    source.mkdir(parents=True, exist_ok=True)
    archive = subprocess.run(["git", "archive", EARLIER], cwd=building.ROOT, capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x", "-C", str(source)], input=archive, check=True)
    command = ["cargo", "build", "--quiet", "-p", "atlas-postbooking-c", "--target-dir", str(HOME / "target")]
    subprocess.run(command, cwd=source, check=True)
    shutil.copyfile(HOME / "target/debug/libatlas_postbooking.so", OLD)
    shutil.rmtree(HOME / "target")


def void(scene: Scene, key: str) -> dict[str, object]:
    return {"kind": "void", "orderNo": scene.atlas.order(**NOW), "key": key}


def code(reply: dict[str, object] | None) -> object:
    error = (reply or {}).get("error")
    return error["code"] if isinstance(error, dict) else None


def what_the_earlier_release_began_goes_on(scene: Scene) -> list[str]:
    """Each key means the same case, nothing is sent twice, and what was lost is found."""
    order = scene.atlas.order(**NOW)
    opened = {
        "void": void(scene, "void"),
        "refund": {"kind": "refund", "orderNo": scene.atlas.order(airline="U2", createdAgo="2d"), "key": "refund"},
        "bag": {"kind": "ancillary", "orderNo": order, "key": "bag", **BAG},
        "lost": void(scene, "lost"),
        "refused": {"kind": "void", "orderNo": scene.atlas.order(state="unpaid"), "key": "refused"},
    }
    with scene.worker(OLD) as old:
        for key, request in opened.items():
            if key == "lost":
                scene.atlas.post("faults", endpoint="void", mode="drop_after")
                scene.atlas.post("faults", endpoint="queryVoidOrders", mode="drop_before", times=0)
            old.call(scene.config, "case.open", request)
    scene.atlas.clear_faults()
    endpoints = ("void", "refund", "postBookingAncillaryOrder")
    sent = [scene.sent(endpoint) for endpoint in endpoints]
    faults = []
    with scene.worker() as new:
        for key, expected in [
            ("void", "executed"), ("refund", "executed"), ("bag", "pending"), ("lost", "executed"), ("refused", "not_executed")
        ]:  # fmt: skip
            scene.atlas.post("clock", advance="2m")
            reply = new.call(scene.config, "case.open", opened[key])
            if reply["outcome"] != expected:
                faults.append(f"{key} is {reply['outcome']}, {code(reply)}")
        other = new.call(scene.config, "case.open", {**opened["void"], "kind": "refund"})
        if code(other) != "key_reused":
            faults.append(f"the key with other content: {code(other)}")
        paid = new.call(scene.config, "case.open", {**opened["bag"], "payment": {"paymentMethod": 1}})
        if (paid["outcome"], scene.sent("pay")) != ("executed", 1):
            faults.append(f"the bag is not paid: {code(paid)}")
    if [scene.sent(endpoint) for endpoint in endpoints] != sent:
        faults.append("a submit was sent again")
    return faults


def an_earlier_process_that_has_the_file_open_sends_nothing_more(scene: Scene) -> list[str]:
    first, second, third = void(scene, "first"), void(scene, "second"), void(scene, "third")
    faults = []
    with scene.worker(OLD) as old:
        old.call(scene.config, "case.open", first)
        if scene.call("case.open", second)["outcome"] != "executed":
            faults.append("the new one does not work beside it")
        for request in (third, first, second):
            reply = old.call(scene.config, "case.open", request)
            if reply["ok"] and request is not first:
                faults.append(f"the earlier one answered {reply['outcome']}")
        if scene.sent("void") != 2:
            faults.append(f"{scene.sent('void')} voids left")
    again = scene.call("case.open", third)
    return faults + ([] if again["outcome"] == "executed" and scene.sent("void") == 3 else [f"later: {code(again)}"])


def a_file_on_which_an_earlier_process_is_at_work_is_left_alone(scene: Scene) -> list[str]:
    request, other = void(scene, "busy"), void(scene, "other")
    scene.atlas.post("faults", endpoint="void", mode="delay", delayMs=3000)
    with scene.worker(OLD) as old:
        old.send(scene.config, "case.open", request)
        wait_for(lambda: scene.sent("void") == 1)
        meanwhile = scene.call("case.open", other, timeoutMs=1000)
        reply = old.receive()
    faults = [] if code(meanwhile) == "store_busy" else [f"meanwhile: {code(meanwhile)}"]
    if reply is None or reply["outcome"] != "executed":
        faults.append(f"the earlier one: {code(reply)}")
    again = scene.call("case.open", request)
    if (again["outcome"], scene.sent("void")) != ("executed", 1):
        faults.append(f"later: {again['outcome']}, {scene.sent('void')} voids left")
    return faults


def a_new_file_is_not_touched_by_the_earlier_release(scene: Scene) -> list[str]:
    request, other = void(scene, "new"), void(scene, "other")
    scene.call("case.open", request)
    before = scene.store.read_bytes()
    reply = scene.call("case.open", other, OLD)
    faults = [] if not reply["ok"] and scene.sent("void") == 1 else [f"it answered {reply['outcome']}"]
    faults += [] if scene.store.read_bytes() == before else ["it wrote to the file"]
    again = scene.call("case.open", request)
    return faults + ([] if again["outcome"] == "executed" else [f"later: {code(again)}"])


def killed_while_it_sends(scene: Scene, mode: str, expected: str) -> list[str]:
    request = void(scene, "k")
    scene.atlas.post("faults", endpoint="void", mode=mode, delayMs=9_000_000)
    with scene.worker(OLD) as old:
        old.send(scene.config, "case.open", request)
        wait_for(lambda: scene.sent("void") == 1)
    with scene.worker() as new:
        for _ in range(4):
            reply = new.call(scene.config, "case.open", request)
            scene.atlas.post("clock", advance="2m")
    found = (reply["outcome"], scene.sent("void"))
    return [] if found == (expected, 1) else [f"{mode}: {found[0]}, {found[1]} voids left"]


def an_earlier_process_killed_after_its_submit_was_executed_is_followed(scene: Scene) -> list[str]:
    return killed_while_it_sends(scene, "delay", "executed")


def an_earlier_process_killed_before_its_submit_was_executed_is_followed(scene: Scene) -> list[str]:
    return killed_while_it_sends(scene, "late", "not_executed")


def a_migration_killed_in_the_middle_is_whole_or_not_there(scene: Scene) -> list[str]:
    keys = [f"k-{number}" for number in range(40)]
    with scene.worker(OLD) as old:
        requests = [void(scene, key) for key in keys]
        for request in requests:
            old.call(scene.config, "case.open", request)
    layout_1, sent, faults, chance = scene.copy_store(), scene.sent("void"), [], random.Random(7)
    unfinished = 0
    for _ in range(40):
        scene.put_back(layout_1)
        scene.store.with_name(scene.store.name + "-witness").unlink(missing_ok=True)
        with scene.worker() as new:
            new.send(scene.config, "case.list", {})
            wait_for(Path(f"{scene.store}-shm").exists, every=0.0005)
            time.sleep(chance.uniform(0, 0.01))
            new.kill()
        with closing(sqlite3.connect(scene.store)) as store:
            unfinished += store.execute("PRAGMA user_version").fetchone() == (1,)
        listed = scene.call("case.list", {"limit": 500})
        found = {case["key"] for case in listed["data"]["cases"]} if listed["ok"] else code(listed)
        if found != set(keys):
            faults.append(f"after a kill: {found if isinstance(found, str) else len(found)}")
        again = scene.call("case.open", chance.choice(requests))
        if again["outcome"] != "executed" or scene.sent("void") != sent:
            faults.append(f"after a kill: {again['outcome']}, {scene.sent('void') - sent} voids left")
    print(f"  {unfinished} of 40 migrations were killed before their end")
    return faults if unfinished else ["no migration was killed before its end"]


SCENES: list[Callable[[Scene], list[str]]] = [
    what_the_earlier_release_began_goes_on,
    an_earlier_process_that_has_the_file_open_sends_nothing_more,
    a_file_on_which_an_earlier_process_is_at_work_is_left_alone,
    a_new_file_is_not_touched_by_the_earlier_release,
    an_earlier_process_killed_after_its_submit_was_executed_is_followed,
    an_earlier_process_killed_before_its_submit_was_executed_is_followed,
    a_migration_killed_in_the_middle_is_whole_or_not_there,
]


def main() -> None:
    building.library(quiet=True)
    earlier_release()
    with SuiteResult("upgrade") as result:
        for play in SCENES:
            with scene("c", building.LIB / "libatlas_postbooking.so.1") as one:
                faults = play(one)
            result.check(not faults, f"{play.__name__}: {'; '.join(faults)}")
    print("\n".join(result.messages))
    print(f"{result.passed} passed, {result.failed} failed")
    sys.exit(1 if result.failed else 0)


if __name__ == "__main__":
    main()
