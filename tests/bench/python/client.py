"""Python clients that make calls in sequence: `client.py KIND BASE_URL CALLS quote|submit|list|start`.

With `start`, the time from before the import to the first reply.
"""

import json
import resource
import sys
import threading
import time

ORDER = "TESTA20260302160000123"
OFFER = "q_0123456789abcdef0123456789abcdef"
PATHS = {"submit": "/refund.do", "list": "/orderList.do"}
HEADERS = {
    "accept": "application/json",
    "accept-encoding": "gzip",
    "content-type": "application/json",
    "user-agent": "bench/1",
    "x-atlas-client-id": "bench-client",
    "x-atlas-client-secret": "bench-secret",
}


def request(mode):
    if mode == "list":
        return {"page": 1}
    common = {"orderNo": ORDER, "displayCurrency": "EUR"}
    if mode == "submit":
        return {**common, "refundOfferId": OFFER}
    segment = {"depDate": "20260401", "flightNo": "ZZ123", "depAirport": "CNX", "arrAirport": "BKK"}
    people = [
        {"lastName": "DOE", "firstName": first, "refundReason": "1", "segments": [segment]} for first in ("JANE", "JOHN")
    ]
    return {**common, "refundRequestList": people}


def two_fields(orders):
    return sum(len(order["orderNo"]) + order["orderStatus"] for order in orders)


def all_fields(orders):
    return sum(len(order.items()) for order in orders)


def ours(url, mode):
    from atlas_postbooking import Client

    client = Client(base_url=url, client_id="bench-client", client_secret="bench-secret")
    read = {"ours-two": two_fields, "ours-all": all_fields}.get(sys.argv[1])
    if mode == "list" and read:
        return lambda: read(client.call("orderList", request(mode)).data["orders"])
    if mode == "list":
        return lambda: len(client.call("orderList", request(mode)).data["orders"]) == 13_000 or sys.exit("length")
    if mode == "submit":
        return lambda: client.refund(request(mode))

    def call():
        # Typed results; the amount is a Decimal.
        quote = client.refund_quotation(request(mode))
        if str(quote.refund_fare_amount.estimated_refund_amount) != "117.48" or quote.refund_offer_id != OFFER:
            sys.exit("amount")

    return call


def checked(text):
    reply = json.loads(text)
    if reply["status"] != 0:
        sys.exit("status")


def with_requests(url, mode):
    import requests

    read = all_fields if sys.argv[1] == "requests-all" else two_fields

    url += PATHS.get(mode, "/refundQuotation.do")
    if mode == "submit":

        def call():
            with requests.Session() as session:
                session.trust_env = False
                answer = session.post(url, data=json.dumps(request(mode)), headers=HEADERS, timeout=30)
                checked(answer.content)

        return call
    session = requests.Session()
    session.trust_env = False
    if mode == "list":
        post = lambda: session.post(url, data=json.dumps(request(mode)), headers=HEADERS, timeout=30)
        return lambda: read(json.loads(post().content)["orders"])
    return lambda: checked(session.post(url, data=json.dumps(request(mode)), headers=HEADERS, timeout=30).content)


def with_httpx(url, mode):
    import httpx

    limits = httpx.Limits(max_keepalive_connections=0 if mode == "submit" else 8)
    client = httpx.Client(trust_env=False, limits=limits, timeout=30)
    url += PATHS.get(mode, "/refundQuotation.do")
    return lambda: checked(client.post(url, content=json.dumps(request(mode)), headers=HEADERS).content)


def with_pyreqwest(url, mode):
    from pyreqwest.client import SyncClientBuilder

    builder = SyncClientBuilder().default_headers(HEADERS).no_proxy()
    if mode == "submit":
        builder = builder.pool_max_idle_per_host(0)
    client = builder.build()
    url += PATHS.get(mode, "/refundQuotation.do")

    def call():
        answer = client.post(url).body_text(json.dumps(request(mode))).build().send()
        checked(answer.bytes().to_bytes())

    return call


KINDS = {"requests": with_requests, "requests-all": with_requests, "httpx": with_httpx, "pyreqwest": with_pyreqwest}


def measure(call, calls):
    call()
    times = []
    before = resource.getrusage(resource.RUSAGE_SELF)
    for _ in range(calls):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    times.sort()
    print(*(f"{t * 1e6:.2f}" for t in (times[calls // 2], times[calls * 99 // 100], cpu / calls)))


def main():
    kind, url, calls, mode = sys.argv[1:]
    make = KINDS.get(kind, ours)
    if mode == "start":
        start = time.perf_counter()
        make(url, "quote")()
        print(f"{(time.perf_counter() - start) * 1e6:.1f}")
    elif kind == "ours-thread":
        # Only the main thread has to check for signals while it waits.
        thread = threading.Thread(target=measure, args=(make(url, mode), int(calls)))
        thread.start()
        thread.join()
    else:
        measure(make(url, mode), int(calls))


if __name__ == "__main__":
    main()
