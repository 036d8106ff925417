"""The same with this library: a direct submit, or a case that is reconciled until its outcome is known.

`with_library.py BASE_URL void|regenerateOrder TIMEOUT_MS direct|case`, order numbers on standard input. For each it
prints a line `ORDER RESULT`: `done`, `failed` or `unknown`. Exit code 3: this version of the library has no cases.
"""

import json
import sys
import tempfile
import time
from typing import Any

from atlas_postbooking import AtlasError, Client

RESULTS = {"executed": "done", "not_executed": "failed"}
TIMEOUT = 2.0  # seconds until a case must have a known outcome


def direct(client: Client, scenario: str, order: str) -> str:
    try:
        if scenario == "void":
            offer = client.void_quotation(order_no=order).void_offer_id
            client.void(order_no=order, void_offer_id=offer)
        else:
            client.regenerate_order(original_order_no=order)
    except AtlasError as error:
        return str(error.outcome)
    return "executed"


def outcome_after(client: Client, operation: str, request: dict[str, Any]) -> str:
    """The case's outcome after a call. If the call failed before there was a case, the outcome of the reply."""
    try:
        reply = client.call(operation, request)
    except AtlasError as error:
        if error.code in ("unknown_operation", "bad_request") or error.reply is None:
            raise
        reply = error.reply
    case = json.loads(reply.json).get("case") or {}
    return str(case.get("outcome", reply.outcome))


def case(client: Client, scenario: str, order: str) -> str:
    kind = {"regenerateOrder": "regenerate"}.get(scenario, scenario)
    outcome = outcome_after(client, "case.open", {"kind": kind, "orderNo": order, "key": order})
    end = time.monotonic() + TIMEOUT
    while outcome not in RESULTS and time.monotonic() < end:
        time.sleep(0.05)
        outcome = outcome_after(client, "case.reconcile", {"key": order})
    return outcome


def main() -> None:
    url, scenario, timeout, how = sys.argv[1:]
    config: dict[str, Any] = {"baseUrl": url, "clientId": "baseline", "clientSecret": "secret"}
    config["timeoutMs"] = int(timeout)
    with tempfile.TemporaryDirectory() as directory:
        if how == "case":
            config |= {"store": {"path": f"{directory}/cases.db"}, "settleMs": 200}
        try:
            client = Client(config)
            for line in sys.stdin:
                order = line.strip()
                outcome = (case if how == "case" else direct)(client, scenario, order)
                print(order, RESULTS.get(outcome, "unknown"), flush=True)
        except AtlasError as error:
            # A version without cases refuses the store, or does not know the operation.
            print(error, file=sys.stderr)
            sys.exit(3 if how == "case" and (error.code == "unknown_operation" or error.field == "/store") else 1)


main()
