"""What is expected of the bindings in examples/ beside the vectors: many reads at once, cancellation, Ctrl-C, large
replies, a refund that is killed and resumed, and their example programs under faults."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from building import ROOT
from case_examples import executed, wait_until
from results import SuiteResult
from runtimes import HOME, SIMULATOR, Runtime, built, environment, in_each, skip
from simulator import Simulator

READS = 1000
# Of 1,000 reads that take 200 ms each; one after the other they would take 200 s. Much more than they need, since the
# machine of a test may be busy; the times are printed.
READS_WITHIN = 8.0
# How often other work, which is due every 5 ms, runs beside them at least. How long it waited is printed only: a busy
# machine makes any loop wait.
TICKS = 10
ENDS_WITHIN = 0.5
LARGE = 5_000_000


class Vendor:
    """A server on a thread of its own: /slow answers after 200 ms, /large with 5 MB, /mute never."""

    def __enter__(self) -> Vendor:
        started = threading.Event()
        self._loop = asyncio.new_event_loop()

        async def serve() -> None:
            server = await asyncio.start_server(self._connection, "127.0.0.1", 0, backlog=4096)
            self.port = server.sockets[0].getsockname()[1]
            started.set()

        def run() -> None:
            asyncio.set_event_loop(self._loop)
            self._loop.run_until_complete(serve())
            self._loop.run_forever()

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()
        started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        async def end() -> None:
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = re.search(r"(?i)content-length: (\d+)", head)
                await reader.readexactly(int(length.group(1)) if length else 0)
                path = head.split()[1]
                if path.startswith("/mute"):
                    await asyncio.sleep(3600)
                if path.startswith("/slow"):
                    await asyncio.sleep(0.2)
                filler = "x" * LARGE if path.startswith("/large") else ""
                body = json.dumps({"status": 0, "msg": "success", "filler": filler}).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            writer.close()

    def config(self, path: str) -> dict[str, Any]:
        return {"baseUrl": f"http://127.0.0.1:{self.port}/{path}", "clientId": "stories", "clientSecret": "a-secret",
                "maxConnections": READS, "maxInFlight": READS}


class Caller:
    """The process of a runtime's caller."""

    def __init__(self, one: Runtime) -> None:
        # A shell that starts tests in the background has them ignore SIGINT.
        self.process = subprocess.Popen(one.caller, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        assert self.process.stdin and self.process.stdout
        self.input, self.output = self.process.stdin, self.process.stdout
        line = self.output.readline()
        if line != b"ready\n":
            raise RuntimeError(f"the caller says {line!r}")

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.input.close()
        self.output.close()

    def send(self, verb: str, times: int, operation: str, config: Any, request: Any) -> None:
        texts = [operation.encode(), json.dumps(config).encode(), json.dumps(request).encode(), b""]
        head = f"{verb} {times} {' '.join(str(len(text)) for text in texts)}\n".encode()
        self.input.write(head + b"".join(texts))
        self.input.flush()

    def call(self, verb: str, times: int, operation: str, config: Any, request: Any) -> dict[str, Any]:
        self.send(verb, times, operation, config, request)
        words = self.output.readline().split()
        if len(words) != 7:
            raise RuntimeError(f"the caller answered {words!r} and ended with {self.process.poll()}")
        reply: dict[str, Any] = json.loads(self.output.read(int(words[4])))
        reply["rawLength"] = len(self.output.read(max(int(words[5]), 0)))
        return reply


def check(result: SuiteResult) -> None:
    """All stories in all runtimes that have a caller."""
    with Vendor() as vendor:

        stories: dict[str, Callable[[SuiteResult, Runtime, Vendor], None]] = {
            "1,000 reads": many_reads, "cancellation": cancelled, "finalizers": forgotten, "5 MB": large, "Ctrl-C": interrupted,
            "exit in a call": left_in_a_call, "exit": left, "killed case": resumed,
        }  # fmt: skip
        # What a runtime does not have that waits for each of its calls.
        in_flight = ("1,000 reads", "cancellation", "finalizers", "exit in a call")
        cells = Cells(list(stories))

        def tell(own: SuiteResult, one: Runtime) -> None:
            for name, story in stories.items():
                if (name not in in_flight or one.many) and (one.name, name) != ("tcl", "finalizers"):
                    with cells.of(one.name, name, own):
                        story(own, one, vendor)

        in_each(result, tell, built())
        print(cells.table())


class Cells:
    """The table of what ran in which runtime."""

    def __init__(self, columns: list[str]) -> None:
        self.columns = columns
        self.rows: dict[str, dict[str, str]] = {}

    @contextmanager
    def of(self, row: str, column: str, own: SuiteResult) -> Iterator[None]:
        """A cell: failed if a check fails or nothing comes of it."""
        before = own.failed
        cells = self.rows.setdefault(row, {})
        cells[column] = "FAILED"
        yield
        if own.failed == before:
            cells[column] = "ok"

    def table(self) -> str:
        rows = [["", *self.columns]]
        rows += [[name, *(cells.get(column, "–") for column in self.columns)] for name, cells in self.rows.items()]
        widths = [8, *(max(len(name), 6) for name in self.columns)]
        return "\n".join("  " + "  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths)) for row in rows)


def many_reads(result: SuiteResult, one: Runtime, vendor: Vendor) -> None:
    with Caller(one) as caller:
        caller.call("READS", 300, "balance", vendor.config("slow"), {})  # what is loaded and compiled at first use
        before = time.monotonic()
        reply = caller.call("READS", READS, "balance", vendor.config("slow"), {})
        took = time.monotonic() - before
        threads = threads_of(caller.process.pid)
    print(f"  {one.name:>8}: {READS} reads of 200 ms in {took:.2f} s; other work ran {reply['ticks']} times, longest gap "
          f"{reply['gapMs']} ms; {threads} threads", flush=True)
    result.check(reply["ok"] == READS, f"{one.name}: {reply['ok']} of {READS} reads ended well")
    result.check(reply["ticks"] >= TICKS, f"{one.name}: other work ran {reply['ticks']} times while {READS} reads were in flight")
    result.check(took < READS_WITHIN, f"{one.name}: {READS} reads took {took:.1f} s")
    result.check(threads < 100, f"{one.name}: {threads} threads after {READS} reads")


def threads_of(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/task"))


def cancelled(result: SuiteResult, one: Runtime, vendor: Vendor) -> None:
    # By then it has been sent.
    after = 0.1 * busy()
    with Caller(one) as caller:
        before = time.monotonic()
        reply = caller.call("CANCEL", int(after * 1000), "void", vendor.config("mute"), {"orderNo": "A1", "voidOfferId": "V1"})
        took = time.monotonic() - before
    error = reply["error"]
    result.check(took < after + 5, f"{one.name}: a cancelled call ended after {took:.1f} s")
    found = (error["code"], reply["outcome"], error["next"])
    result.check(found == ("cancelled", "unknown", "queryVoidOrders"), f"{one.name}: a cancelled submit is {found}")


def forgotten(result: SuiteResult, one: Runtime, vendor: Vendor) -> None:
    """Clients that nobody closes are freed when they are collected. A collector may miss some that are on its stack."""
    with Caller(one) as caller:
        live = caller.call("FORGET", 50, "", vendor.config("fast"), {})["live"]
    result.check(live <= 10, f"{one.name}: {live} handles are left of 50 clients that nobody closed")


def large(result: SuiteResult, one: Runtime, vendor: Vendor) -> None:
    with Caller(one) as caller:
        reply = caller.call("CALL", 1, "balance", vendor.config("large"), {})
    found = (reply["ok"], len(reply.get("data", {}).get("filler", "")), reply["rawLength"] > LARGE)
    result.check(found == (True, LARGE, True), f"{one.name}: a reply of 5 MB is {found}")


def interrupted(result: SuiteResult, one: Runtime, vendor: Vendor) -> None:
    """Ctrl-C while the only call waits for an answer that never comes."""
    with Caller(one) as caller:
        caller.send("CALL", 1, "balance", vendor.config("mute"), {})
        time.sleep(0.4)
        took = end_of(caller, lambda: caller.process.send_signal(signal.SIGINT))
    result.check(took < ENDS_WITHIN * busy(), f"{one.name}: ends {took:.2f} s after Ctrl-C")


def left_in_a_call(result: SuiteResult, one: Runtime, vendor: Vendor) -> None:
    """The end of a program while its call waits for an answer that never comes."""
    with Caller(one) as caller:
        took = end_of(caller, lambda: caller.send("LEAVE", 200, "balance", vendor.config("mute"), {})) - 0.2
        result.check(caller.process.returncode == 0, f"{one.name}: ends in a call with {caller.process.returncode}")
    result.check(took < ENDS_WITHIN * busy(), f"{one.name}: ends {took:.2f} s after it was told to, with a call in flight")


def left(result: SuiteResult, one: Runtime, vendor: Vendor) -> None:
    """The end of a program that made calls, with nothing closed by hand."""
    with Caller(one) as caller:
        caller.call("CALL", 2, "balance", vendor.config("fast"), {})
        took = end_of(caller, caller.input.close)
        result.check(caller.process.returncode == 0, f"{one.name}: ends with {caller.process.returncode}")
    result.check(took < ENDS_WITHIN * busy(), f"{one.name}: ends {took:.2f} s after its last line")


def busy() -> float:
    """More time on a machine that has more to do than it has processors."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def end_of(caller: Caller, cause: Any) -> float:
    """Seconds from a cause to the end of the process."""
    before = time.monotonic()
    cause()
    try:
        caller.process.wait(20)
    except subprocess.TimeoutExpired:
        return 20.0
    return time.monotonic() - before


def resumed(result: SuiteResult, one: Runtime, vendor: Vendor) -> None:
    """A refund as a case: the process is killed while Atlas answers, another one opens the same case."""
    with simulator("--profile", "refundQueryWithoutCode=list") as (atlas, directory):
        order = atlas.order(passengers=2, segments=2, fare="84.75")
        atlas.post("faults", endpoint="refund", mode="delay", delayMs=60_000)
        config = {"baseUrl": atlas.url, "clientId": "stories", "clientSecret": "a-secret", "settleMs": 60_000,
                  "store": {"path": f"{directory}/cases.db"}, "clock": {"url": f"{atlas.url}/_sim/clock"}}
        request = {"kind": "refund", "orderNo": order, "key": "ticket-4711"}
        with Caller(one) as caller:
            caller.send("CALL", 1, "case.open", config, request)
            wait_until(lambda: executed(atlas, "refund") == 1)
        with Caller(one) as caller:
            reply = caller.call("CALL", 1, "case.open", config, request)
            for _ in range(20):
                if reply["outcome"] == "executed":
                    break
                atlas.post("clock", advance="2m")
                reply = caller.call("CALL", 1, "case.reconcile", config, {"key": "ticket-4711"})
        result.check(reply["outcome"] == "executed", f"{one.name}: a resumed refund is {reply['outcome']}")
        result.check(executed(atlas, "refund") == 1, f"{one.name}: {executed(atlas, 'refund')} refunds were executed")


@contextmanager
def simulator(*arguments: str) -> Iterator[tuple[Simulator, str]]:
    with tempfile.TemporaryDirectory() as directory, Simulator(SIMULATOR, "--seed", "7", *arguments) as atlas:
        yield atlas, directory


# Fault of the void: exit code, text in the output, voids in the ledger.
FAULTS = {
    "": (0, "voided: ", 1),
    "drop_after": (0, "it happened: ", 1),
    "drop_before": (3, "still unknown", 0),
    "rate_limit": (1, "not voided: ", 0),
}


def programs(result: SuiteResult) -> None:
    """The void of every runtime: quotation, submit, and the question after a lost answer."""
    cells = Cells([fault or "void" for fault in FAULTS])

    def void(own: SuiteResult, one: Runtime) -> None:
        for fault, (code, text, count) in FAULTS.items() if one.void else ():
            with simulator() as (atlas, _), cells.of(one.name, fault or "void", own):
                order = atlas.order(airline="F9", fare="84.75")
                if fault:
                    atlas.post("faults", endpoint="void", mode=fault)
                done = subprocess.run([*one.void, atlas.url, order], env=environment(), capture_output=True, text=True, timeout=60)
                found = executed(atlas, "void")
                sent = [row for row in atlas.get("requests")["requests"] if row["endpoint"] == "void"]
            what = f"{one.name} void, {fault or 'no fault'}"
            output = done.stdout + done.stderr
            own.check(done.returncode == code and text in output, f"{what}: exit code {done.returncode}\n{output[-600:]}")
            own.check((found, len(sent) <= 1) == (count, True), f"{what}: executed {found} times, sent {len(sent)} times")
            own.check("comes back: " in output and "secret" not in output, f"{what}: {output[-200:]}")

    in_each(result, void, built())
    print(cells.table())
    types(result)


def types(result: SuiteResult) -> None:
    """The types of the Node binding, by the compiler of TypeScript."""
    modules = HOME / "node/node_modules"
    compiler = modules / ".bin/tsc"
    if compiler.exists():
        flags = ["--noEmit", "--strict", "--target", "es2022", "--module", "commonjs", "--types", "node"]
        command = [str(compiler), *flags, "--typeRoots", str(modules / "@types"), str(ROOT / "tests/runtimes/types.ts")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        result.check(done.returncode == 0, f"types of examples/node:\n{done.stdout[-1500:]}")
    else:
        skip(result, "TypeScript: not installed")
