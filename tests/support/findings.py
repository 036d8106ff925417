"""What an attack on cases found with several processes or a changed store file, through the C ABI and through Python.

The findings that one process shows are vectors (`tests/vectors/findings.json`). By hand, also for another build:

    python tests/support/findings.py c PATH/libatlas_postbooking.so
    python tests/support/findings.py python DIRECTORY
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import building
from results import SuiteResult
from scene import NOW, Scene, scene, wait_for
from worker import Worker


def an_overtaken_sender_never_says_not_executed(scene: Scene) -> list[str]:
    """Another process took it for gone, as one of another PID namespace, and found no effect; that came later."""
    request = {"kind": "void", "orderNo": scene.atlas.order(**NOW), "key": "k"}
    scene.atlas.post("faults", endpoint="void", mode="late", delayMs=9_000_000, virtual=True)
    with scene.worker() as first, scene.worker() as second:
        first.send(scene.config, "case.open", request, timeoutMs=4000)
        wait_for(lambda: scene.sent("void") == 1)
        with closing(sqlite3.connect(scene.store)) as store, store:
            store.execute("UPDATE cases SET owner = NULL, lease_until = NULL")
        for _ in range(4):
            scene.atlas.post("clock", advance="70s")
            other = second.call(scene.config, "case.reconcile", {"key": "k"})
        reply = first.receive() or {}
    faults = [] if other["outcome"] == "not_executed" else [f"it was not overtaken: {other['outcome']}"]
    return faults + ([] if reply["outcome"] == "unknown" else [f"the sender says {reply['outcome']}"])


def a_file_replaced_during_a_call_makes_no_second_submit(scene: Scene) -> list[str]:
    scene.call("case.list", {})
    yesterday = scene.copy_store()
    request = {"kind": "void", "orderNo": scene.atlas.order(**NOW), "key": "k"}
    scene.atlas.post("faults", endpoint="void", mode="delay", delayMs=1500)
    with scene.worker() as worker:
        replace = threading.Thread(
            target=lambda: (wait_for(lambda: scene.sent("void") == 1), scene.put_back(yesterday))
        )
        replace.start()
        worker.call(scene.config, "case.open", request)
        replace.join()
        again = worker.call(scene.config, "case.open", request)
    later = scene.call("case.open", {**request, "key": "k2"})
    faults = [] if scene.sent("void") == 1 else [f"{scene.sent('void')} submits left"]
    codes = [code(reply) for reply in (again, later)]
    return faults + ([] if codes == ["store_rewound"] * 2 else [f"answered {codes}"])


def a_stop_is_not_sent_again_from_a_restored_copy(scene: Scene) -> list[str]:
    scene.call("case.list", {})
    yesterday = scene.copy_store()
    request = {"kind": "stop", "orderNo": scene.atlas.order(state="ticketing", ticketingSeconds=3600), "key": "k"}
    scene.call("case.open", request)
    scene.put_back(yesterday)
    again = scene.call("case.open", request)
    faults = [] if scene.sent("stopTicket") == 1 else [f"{scene.sent('stopTicket')} submits left"]
    answer = (code(again), again["outcome"])
    return faults + ([] if answer == ("store_rewound", "unknown") else [f"answered {answer}"])


def another_sqlite_in_the_process_does_no_damage(scene: Scene) -> list[str]:
    """What closes a file drops the record locks that its process has on it, those of another SQLite too."""
    scene.call("case.list", {})
    orders = [scene.atlas.order(**NOW) for _ in range(160)]
    workers = [Worker(scene.face, scene.path, scene.store) for _ in range(4)]
    for number, order in enumerate(orders):
        workers[number % 4].send(scene.config, "case.open", {"kind": "void", "orderNo": order, "key": order})
    replies = [workers[number % 4].receive() for number in range(len(orders))]
    for worker in workers:
        worker.kill()
    bad = [code(reply) for reply in replies if reply is None or reply["outcome"] != "executed"]
    sound, count = "damaged", 0
    with suppress(sqlite3.Error), closing(sqlite3.connect(scene.store)) as store:
        sound = store.execute("PRAGMA integrity_check").fetchone()[0]
        count = store.execute("SELECT count(*) FROM cases").fetchone()[0]
    faults = [f"{len(bad)} calls failed: {bad[:3]}"] if bad else []
    faults += [] if (sound, count) == ("ok", len(orders)) else [f"{count} cases are stored, and it is {sound}"]
    return faults + ([] if scene.sent("void") == len(orders) else [f"{scene.sent('void')} voids left"])


def two_copies_in_one_process_see_each_other(scene: Scene, library: Path) -> list[str]:
    """The shared library and the Python module are two libraries to their process: each has its own list of live cases."""
    scene.call("case.list", {})
    request = {"kind": "void", "orderNo": scene.atlas.order(**NOW), "key": "k"}
    scene.atlas.post("faults", endpoint="void", mode="delay", delayMs=1500)
    script = Path(__file__).with_name("copies.py")
    texts = [str(library), str(scene.path), json.dumps(scene.config), json.dumps(request)]
    command = [sys.executable, str(script), *texts]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        wait_for(lambda: scene.sent("void") == 1)
        printed, _ = process.communicate("sent\n", timeout=60)
    second, asked, first = (json.loads(line) for line in printed.splitlines())
    faults = [] if scene.sent("void") == 1 else [f"{scene.sent('void')} submits left"]
    outcomes = [first["outcome"], second["outcome"], asked["outcome"]]
    faults += [] if outcomes[0] == "executed" else [f"the first answers {outcomes[0]}: {code(first)}"]
    is_seen = second["outcome"] != "not_executed" and code(second) == "in_progress"
    return faults + ([] if is_seen else [f"the second answers {outcomes[1]}: {code(second)}"])


def code(reply: dict[str, Any] | None) -> Any:
    return ((reply or {}).get("error") or {}).get("code")


FINDINGS = [
    another_sqlite_in_the_process_does_no_damage,
    an_overtaken_sender_never_says_not_executed,
    a_file_replaced_during_a_call_makes_no_second_submit,
    a_stop_is_not_sent_again_from_a_restored_copy,
]


def check(result: SuiteResult, face: str, path: Path) -> None:
    for finding in FINDINGS:
        with scene(face, path) as one:
            faults = finding(one)
        result.check(not faults, f"{face}: {finding.__name__}: {'; '.join(faults)}")
    if face == "python":
        with scene(face, path) as one:
            faults = two_copies_in_one_process_see_each_other(one, building.LIB / "libatlas_postbooking.so.1")
        result.check(not faults, f"two copies: {'; '.join(faults)}")


def main() -> None:
    face, path = sys.argv[1:]
    with SuiteResult(f"findings, {face}") as result:
        check(result, face, Path(path).resolve())
    print("\n".join(result.messages))
    print(f"{result.passed} passed, {result.failed} failed")
    sys.exit(1 if result.failed else 0)


if __name__ == "__main__":
    main()
