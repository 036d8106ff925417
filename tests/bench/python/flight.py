"""Many calls in flight on one event loop: `flight.py KIND BASE_URL CALLS IN_FLIGHT`.

Prints calls per second, CPU time of a call in µs, and the most threads.
"""

import asyncio
import json
import os
import resource
import sys
import time

from client import HEADERS, OFFER, checked, request


def aiohttp(url, in_flight):
    import aiohttp

    connector = aiohttp.TCPConnector(limit=in_flight)
    session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=600))

    async def call():
        async with session.post(url + "/refundQuotation.do", data=json.dumps(request("quote")), headers=HEADERS) as answer:
            checked(await answer.read())

    return call, session.close


def httpx(url, in_flight):
    import httpx

    limits = httpx.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
    client = httpx.AsyncClient(trust_env=False, limits=limits, timeout=600)

    async def call():
        answer = await client.post(url + "/refundQuotation.do", content=json.dumps(request("quote")), headers=HEADERS)
        checked(answer.content)

    return call, client.aclose


def pyreqwest(url, in_flight):
    from pyreqwest.client import ClientBuilder

    client = ClientBuilder().default_headers(HEADERS).no_proxy().pool_max_idle_per_host(in_flight).build()

    async def call():
        answer = await client.post(url + "/refundQuotation.do").body_text(json.dumps(request("quote"))).build().send()
        checked((await answer.bytes()).to_bytes())

    return call, client.close


def ours(url, in_flight):
    from atlas_postbooking import AsyncClient

    client = AsyncClient(
        base_url=url, client_id="bench-client", client_secret="bench-secret", max_in_flight=in_flight, max_connections=in_flight
    )

    async def call():
        if (await client.refund_quotation(request("quote"))).refund_offer_id != OFFER:
            sys.exit("offer")

    async def close():
        client.close()

    return call, close


async def main():
    kind, url, calls, in_flight = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    call, close = {"aiohttp": aiohttp, "httpx": httpx, "pyreqwest": pyreqwest, "ours": ours}[kind](url, in_flight)
    left = calls
    threads = 0

    async def worker():
        nonlocal left, threads
        while left > 0:
            left -= 1
            await call()
            if left % 500 == 0:
                threads = max(threads, len(os.listdir("/proc/self/task")))

    await call()
    before = resource.getrusage(resource.RUSAGE_SELF)
    begun = time.monotonic()
    await asyncio.gather(*(worker() for _ in range(in_flight)))
    seconds = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{calls / seconds:.1f} {cpu / calls * 1e6:.2f} {threads}")
    await close()


asyncio.run(main())
