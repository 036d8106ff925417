"""A baseline client with requests: a session with urllib3's Retry.

`with_requests.py BASE_URL void|regenerateOrder TIMEOUT_MS`, order numbers on standard input. For each it prints a line
`ORDER BY_STATUS BY_HTTP`: `done` or `failed`, as decided by the body's status and by the HTTP status.
"""

import sys

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

url, scenario, timeout = sys.argv[1], sys.argv[2], int(sys.argv[3]) / 1000

session = requests.Session()
session.trust_env = False
session.headers.update({"x-atlas-client-id": "baseline", "x-atlas-client-secret": "secret"})
retry = Retry(
    total=3,
    backoff_factor=0.01,
    status_forcelist=[429, 500, 502, 503, 504],
    # By default Retry does not repeat a POST; adding it here is common advice on the web.
    allowed_methods=["GET", "POST"],
)
session.mount("http://", HTTPAdapter(max_retries=retry))


def post(path: str, **body: object) -> requests.Response:
    return session.post(f"{url}/{path}.do", json=body, timeout=timeout)


def submit(order: str) -> tuple[bool, bool]:
    """Whether the submit succeeded, by the body's status and by the HTTP status."""
    try:
        if scenario == "void":
            offer = post("voidQuotation", orderNo=order).json()["voidOfferId"]
            answer = post("void", orderNo=order, voidOfferId=offer)
        else:
            answer = post("regenerateOrder", originalOrderNo=order)
    except requests.RequestException:
        return False, False
    try:
        by_status = answer.json()["status"] == 0
    except (ValueError, LookupError, TypeError):
        by_status = False
    return by_status, answer.ok


for line in sys.stdin:
    results = ("done" if done else "failed" for done in submit(line.strip()))
    print(line.strip(), *results, flush=True)
