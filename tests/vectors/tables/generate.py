"""Writes codes.json, http.json and reading.json from the tables below. The tables are typed from the documentation, never
copied from the code. Afterwards `BLESS=1 vectors` adds the whole replies, which must be reviewed.

Rows: operation -> the meaning of a status code in the answer's body.
"""

import gzip
import json
import pathlib
import zlib

HERE = pathlib.Path(__file__).resolve().parent.parent

ORDER = "TESTA20260302160000001"
OFFER = "q_00000000000000000000000000000a01"
LIST = [{"lastName": "MUSTER", "firstName": "ERIKA", "refundReason": "1",
         "segments": [{"depDate": "20260401", "flightNo": "XX101", "depAirport": "VIE", "arrAirport": "OSL"}]}]
FLIGHT = {"carrier": "XX", "flightNumber": "XX101", "depAirport": "VIE", "arrAirport": "OSL", "depTime": "202604010810"}
LEG = {"dptAirport": "VIE", "arrAirport": "OSL", "flightNumber": "XX101",
       "depTime": "2026-04-01 08:10", "arrTime": "2026-04-01 10:25"}

# operation: (kind, path, request in the form that is sent)
OPERATIONS = {
    "postBookingAncillarySearch": ("quote", "/postBookingAncillarySearch.do",
                                   {"ticketOrderNo": ORDER, "ancillaryCategory": "BAGGAGE"}),
    "postBookingAncillaryOrder": ("submit", "/postBookingAncillaryOrder.do",
                                  {"sessionId": "s-01", "ancillaryCategory": "BAGGAGE", "ticketOrderNo": ORDER,
                                   "passengers": [{"name": "MUSTER/ERIKA", "passengerType": 0, "ancillaries":
                                                   [{"productCode": "BAG_1PC_10KG", "segmentIndex": 1}]}]}),
    "refundQuotation": ("quote", "/refundQuotation.do", {"orderNo": ORDER, "refundRequestList": LIST}),
    "refund": ("submit", "/refund.do", {"orderNo": ORDER, "refundOfferId": OFFER, "refundRequestList": None}),
    "queryRefundOrders": ("read", "/queryRefundOrders.do", {"orderNo": ORDER}),
    "voidQuotation": ("quote", "/voidQuotation.do", {"orderNo": ORDER}),
    "void": ("submit", "/void.do", {"orderNo": ORDER, "voidOfferId": OFFER}),
    "queryVoidOrders": ("read", "/queryVoidOrders.do", {"orderNo": ORDER}),
    "regenerateOrder": ("submit", "/regenerateOrder.do", {"originalOrderNo": ORDER}),
    "stopTicket": ("submit", "/stopTicket.do", {"orderNo": ORDER}),
    "orderList": ("read", "/orderList.do", {}),
    "pnrClaim": ("submit", "/pnr/claim.do",
                 {"mmb": {"airlinePnr": "ABC12D", "email": "desk@agency.example"},
                  "passengers": [{"name": "MUSTER/ERIKA", "passengerType": 0}], "fromSegments": [FLIGHT]}),
    "extractPnr": ("read", "/extractPnr.do",
                   {"airlinePnr": "ABC12D", "carrier": "XX",
                    "passengers": [{"firstName": "ERIKA", "lastName": "MUSTER"}],
                    "contact": {"email": "desk@agency.example"}, "routing": {"fromSegments": [LEG]}}),
    "queryOrderDetails": ("read", "/queryOrderDetails.do", {"orderNo": ORDER}),
    "pay": ("submit", "/pay.do", {"orderNo": ORDER, "paymentMethod": 1}),
    "balance": ("read", "/balance.do", {}),
    "updateWebhookURL": ("repeatable", "/updateWebhookURL.do", {"url": "https://agency.example/atlas"}),
}
REFUSED, AUTH, LIMITED = (-43, "refused"), (-42, "unauthorized"), (-41, "rate_limited")
UNCERTAIN, ALREADY, RUNNING = (-47, "vendor_uncertain"), (-48, "already_submitted"), (-49, "in_progress")
EXISTS = (-48, "already_submitted", "of somebody")
NOT_FOUND = (-46, "not_found")

# For every operation.
GENERAL = {100: REFUSED, 901: REFUSED, 900: AUTH, 902: AUTH, 429: LIMITED,
           2: UNCERTAIN, -1: UNCERTAIN, 9999: UNCERTAIN, 77777: UNCERTAIN}

REFUND = [801, 802, 805, 807, 809, 810, 811, 812, 815, 820, 821, 822, 823, 824, 8041, 905]
VOID = [801, 805, 808, 809, 810, 815, 820, 821, 822, 823, 824, 841, 843, 905]
# Something is there, of somebody: no proof.
EXISTS_CODES = [803, 816, 817, 818]


def span(*parts):
    return [code for part in parts for code in (range(part[0], part[1] + 1) if isinstance(part, tuple) else [part])]


# operation: [(codes, meaning)]
SUBMITS = {
    "refund": [(REFUND, REFUSED), (EXISTS_CODES, EXISTS), ([814], RUNNING)],
    "void": [(VOID, REFUSED), (EXISTS_CODES, EXISTS), ([814], RUNNING)],
    "postBookingAncillaryOrder": [
        (span(6, 301, (307, 310), 312, 313, 317, 327, 329, (407, 410), (501, 504), (506, 509)), REFUSED),
        ([505], EXISTS), ([316, 324, 330], UNCERTAIN)],
    "regenerateOrder": [
        (span((300, 315), 317, (319, 323), (325, 329), (407, 410), 6051), REFUSED),
        ([316, 318, 324, 330], UNCERTAIN)],
    "stopTicket": [([1, 800, 801, 805], UNCERTAIN)],
    "pnrClaim": [([1, 301, 703, 800], UNCERTAIN)],
    "pay": [(span(400, 401, 403, (407, 410), (412, 415)), REFUSED), ([404, 615], ALREADY),
            ([402, 405, 411], UNCERTAIN), ([406], RUNNING)],
    "updateWebhookURL": [],
}
READS = {
    # A quote or a look-up that meets an existing submit is refused; 801 is never "not found".
    "refundQuotation": [(REFUND + EXISTS_CODES, REFUSED), ([814], RUNNING)],
    "queryRefundOrders": [(REFUND + EXISTS_CODES + [814], REFUSED)],
    "voidQuotation": [(VOID + EXISTS_CODES, REFUSED), ([814], RUNNING)],
    "queryVoidOrders": [(VOID + EXISTS_CODES + [814], REFUSED)],
    "postBookingAncillarySearch": [([117, 118, 119, 120, 121, 125], REFUSED)],
    "queryOrderDetails": [([701, 702, 704, 705], REFUSED), ([703, 800], NOT_FOUND)],
    "extractPnr": [([703, 800], NOT_FOUND)],
    "orderList": [],
    "balance": [],
}
# error.vendorCode and error.advice, as documented.
VENDOR_CODES = {805: "offer_expired", 809: "not_ticketed", 117: "not_ticketed", 8041: "segment_not_found"}
ADVICE = {("pay", 615): "wait", ("refund", 905): "wait", ("void", 905): "wait", ("refund", 805): "requote",
          ("void", 805): "requote"}
NEXT = {("refund", 905): "queryRefundOrders", ("void", 905): "queryVoidOrders"}

ONCE = {"retry": {"maxAttempts": 1}}


def outcome(operation, meaning):
    if OPERATIONS[operation][0] in ("read", "quote"):
        return "not_executed"
    return {ALREADY: "executed", EXISTS: "unknown", RUNNING: "unknown", UNCERTAIN: "unknown"}.get(meaning, "not_executed")


def vector(name, operation, answer, expect, once=True, **more):
    kind, path, request = OPERATIONS[operation]
    out = {"name": name, "operation": operation}
    if kind != "submit" and once:
        out["options"] = ONCE
    out |= {"request": request, "server": [{"answer": answer}], "wire": {"path": path, "body": request}}
    if kind == "submit":
        out["connections"] = 1
    return out | more | {"expect": expect}


def of_code(operation, code, meaning):
    status, error_code = meaning[:2]
    body = {"status": code, "msg": "words that decide nothing"}
    if operation in ("refundQuotation", "voidQuotation"):
        body |= {"refundOfferId" if operation == "refundQuotation" else "voidOfferId": OFFER}
    if (operation, code) == ("regenerateOrder", 318):
        body |= {"duplicateOrders": ["TESTA20260302150000009"]}
    expect = {"outcome": outcome(operation, meaning), "status": status, "code": error_code}
    if code in VENDOR_CODES and meaning == REFUSED:
        expect["vendorCode"] = VENDOR_CODES[code]
    if code == 900:
        expect["advice"] = "contact_support"
    for key, table in (("advice", ADVICE), ("next", NEXT)):
        if (operation, code) in table:
            expect[key] = table[operation, code]
    if "duplicateOrders" in body:
        expect["at"] = {"/data/duplicateOrders": body["duplicateOrders"]}
    return vector(f"{operation}-{code}", operation, {"body": body}, expect)


def codes():
    for operation in OPERATIONS:
        rows = dict(GENERAL)
        for numbers, meaning in {**SUBMITS, **READS}[operation]:
            rows |= dict.fromkeys(numbers, meaning)
        for code, meaning in rows.items():
            yield of_code(operation, code, meaning)
        # The same status as a string.
        text = of_code(operation, 9999, UNCERTAIN)
        text["name"] = f"{operation}-9999-as-text"
        text["server"][0]["answer"]["body"]["status"] = "9999"
        yield text


def of_http(http):
    """The meaning of an HTTP status without the vendor's envelope, and whether a submit was refused by it."""
    meaning = {401: AUTH, 403: AUTH, 429: LIMITED}.get(http)
    if meaning is None:
        meaning = ((-44, "bad_response") if http < 300 else (-40, "redirect") if http < 400 else (-40, "http_error"))
    return meaning, http in (401, 403, 404, 405, 413, 415, 429)


def http():
    page = "<html><body>a page that is not the vendor's</body></html>"
    for status in [200, 201, 202, 300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 406, 408, 409, 410, 411, 412,
                   413, 414, 415, 418, 421, 422, 429, 431, 451, 500, 501, 502, 503, 504, 505, 520, 599]:
        (number, error_code), refused = of_http(status)
        for operation in ("refund", "queryOrderDetails"):
            result = "not_executed" if refused or operation != "refund" else "unknown"
            answer = {"status": status, "headers": {"Content-Type": "text/html"}, "text": page}
            if 300 <= status < 400:
                answer["headers"]["Location"] = "/elsewhere.do"
            yield vector(f"page-{status}-{operation}", operation, answer,
                         {"outcome": result, "status": number, "code": error_code, "raw": page, "at": {"/data": None}})
    for status in (204, 304):
        (number, error_code), _ = of_http(status)
        yield vector(f"empty-{status}-refund", "refund", {"status": status},
                     {"outcome": "unknown", "status": number, "code": error_code})
    for status in (201, 302, 400, 401, 404, 429, 500, 503):
        yield vector(f"envelope-decides-{status}", "refund",
                     {"status": status, "body": {"status": 0, "orderNo": ORDER, "refundCode": "202603-0001"}},
                     {"outcome": "executed", "status": 0, "warnings": ["not_journaled"]})
        yield vector(f"envelope-decides-{status}-816", "refund", {"status": status, "body": {"status": 816}},
                     {"outcome": "unknown", "status": -48, "code": "already_submitted"})
    for name, body in {
        "empty": "", "text": "OK", "array": "[0]", "null": "null", "string": '"0"', "number": "0", "no-status": "{}",
        "null-status": '{"status":null}', "word-status": '{"status":"ok"}', "fraction-status": '{"status":0.5}',
        "float-text-status": '{"status":"0.0"}',
        "padded-status": '{"status":"00"}', "signed-status": '{"status":"+0"}', "blank-status": '{"status":""}',
        "true-status": '{"status":true}', "false-status": '{"status":false}', "object-status": '{"status":{}}',
        "array-status": '{"status":[0]}', "exponent-status": '{"status":0e0}', "wrapped": '{"data":{"status":0}}',
        "cut-json": '{"status":0,"orderNo":"TESTA', "two-values": '{"status":0}{"status":0}',
        "two-statuses": '{"status":0,"status":805}', "huge-status": '{"status":99999999999999999999}',
        "html": "<html>", "single-quotes": "{'status':0}",
        "deep": '{"status":0,"x":' + "[" * 200 + "]" * 200 + "}", "negative-zero": '{"status":-0}',
    }.items():
        for operation in ("void", "balance"):
            yield vector(f"no-envelope-{name}-{operation}", operation, {"text": body},
                         {"outcome": "unknown" if operation == "void" else "not_executed", "status": -44,
                          "code": "bad_response", "raw": body})
    yield vector("byte-order-mark-void", "void", {"hex": b'\xef\xbb\xbf{"status":0,"voidCode":"202603-0001"}'.hex()},
                 {"outcome": "executed", "status": 0, "warnings": ["no_echo", "not_journaled"]})
    # The web server's own page repeats the HTTP status; read as a vendor code, 404 would mean "paid".
    spring = {"timestamp": "2026-03-02T08:00:00.000+00:00", "status": 404, "error": "Not Found", "path": "/pay.do"}
    # As a vendor code, 404 of pay would mean "paid already": the two readings disagree, so neither is taken.
    yield vector("servers-own-404-pay", "pay", {"status": 404, "body": spring},
                 {"outcome": "unknown", "status": -40, "code": "http_error"})
    yield vector("servers-own-404-void", "void", {"status": 404, "body": spring | {"path": "/void.do"}},
                 {"outcome": "not_executed", "status": -40, "code": "http_error"})
    spring = spring | {"status": 500, "error": "Internal Server Error"}
    yield vector("servers-own-500-pay", "pay", {"status": 500, "body": spring},
                 {"outcome": "unknown", "status": -40, "code": "http_error"})
    limited = {"code": 429, "message": "Too many requests", "limitType": "SEARCH_QPS", "limit": 10}
    wait = {"outcome": "not_executed", "status": -41, "code": "rate_limited", "advice": "wait"}
    for name, answer, after in [
        ("code", {"body": limited | {"retryAfter": 2}}, 2000),
        ("code-429", {"status": 429, "body": limited | {"retryAfter": 2}}, 2000),
        ("code-as-text", {"body": limited | {"code": "429", "retryAfter": "3"}}, 3000),
        ("code-fraction", {"body": limited | {"retryAfter": 0.25}}, 250),
        ("code-no-time", {"body": limited}, None),
        ("status-429", {"body": {"status": 429, "msg": "slow down"}}, None),
        ("status-429-as-text", {"body": {"status": "429", "msg": None}}, None),
        ("status-429-http", {"status": 429, "body": {"status": 429, "msg": "slow down"}}, None),
        ("page", {"status": 429, "text": page}, None),
        ("empty", {"status": 429}, None),
        ("header-seconds", {"status": 429, "headers": {"Retry-After": "7"}, "text": page}, 7000),
        ("header-date", {"status": 429, "headers": {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, "text": page}, 0),
        ("header-milliseconds", {"status": 429, "headers": {"Retry-After-Ms": "120"}, "text": page}, 120),
        ("header-nonsense", {"status": 429, "headers": {"Retry-After": "soon"}, "text": page}, None),
        ("header-negative", {"status": 429, "headers": {"Retry-After": "-5"}, "text": page}, None),
        ("header-huge", {"status": 429, "headers": {"Retry-After": "10000000"}, "text": page}, 10_000_000_000),
        ("header-2-64", {"status": 429, "headers": {"Retry-After": "18446744073709551616"}, "text": page},
         100 * 366 * 86_400_000),
        ("code-huge", {"body": limited | {"retryAfter": 1e300}}, 100 * 366 * 86_400_000),
        ("code-negative", {"body": limited | {"retryAfter": -1}}, None),
        ("body-before-header", {"status": 429, "headers": {"Retry-After": "7"}, "body": limited | {"retryAfter": 1}},
         1000),
    ]:
        for operation in ("void", "queryVoidOrders", "updateWebhookURL"):
            expect = wait | ({} if after is None else {"retryAfterMs": after})
            expect["at"] = {"/error/retryAfterMs": after}
            yield vector(f"limit-{name}-{operation}", operation, answer, expect)


def reading():
    """Whole answers that are not quite JSON in UTF-8 over HTTP, and ones that only look so."""
    text = '{"status":0,"msg":"caf\u00e9 \u8aa0","orderNo":"%s","voidCode":"202603-0001"}' % ORDER
    plain = text.encode()

    def gz(data):
        return gzip.compress(data, mtime=0)

    def deflate(data, window):
        compressor = zlib.compressobj(wbits=window)
        return compressor.compress(data) + compressor.flush()

    def coded(coding):
        return {"headers": {"Content-Encoding": coding}}

    read = [
        # Content coding: by what the body is.
        *[(f"coding-{coding.replace('/', '-')}", plain, coded(coding), "content_coding")
          for coding in ("utf-8", "none", "aws-chunked", "application/json", "br", "zstd", "gzip", "deflate", "binary")],
        ("coding-identity", plain, coded("identity"), None),
        ("gzip-unannounced", gz(plain), {}, "content_coding"),
        ("gzip-under-another-name", gz(plain), coded("utf-8"), "content_coding"),
        ("gzip-twice", gz(gz(plain)), coded("gzip, gzip"), None),
        ("gzip-members", gz(plain[:20]) + gz(plain[20:]), coded("gzip"), None),
        ("gzip-then-nuls", gz(plain) + b"\0" * 9, coded("gzip"), "trailing_bytes"),
        ("gzip-then-newline", gz(plain) + b"\r\n", coded("gzip"), "trailing_bytes"),
        ("gzip-then-junk", gz(plain) + b"junk", coded("gzip"), "trailing_bytes"),
        ("deflate-zlib", deflate(plain, 15), coded("deflate"), None),
        ("deflate-raw", deflate(plain, -15), coded("deflate"), None),
        # Characters.
        ("gbk", text.replace("\u00e9", "e").encode("gbk"), {}, "charset"),
        ("big5-backslash", text.replace("caf\u00e9 \u8aa0", "\u529f\u529f").encode("big5"), {}, "charset"),
        ("latin-1", text.replace("\u8aa0", "").encode("latin-1"), {}, "charset"),
        ("utf-16-little", b"\xff\xfe" + text.encode("utf-16-le"), {}, "charset"),
        ("utf-16-big", b"\xfe\xff" + text.encode("utf-16-be"), {}, "charset"),
        ("byte-order-mark", b"\xef\xbb\xbf" + plain, {}, None),
        ("control-characters", plain.replace(b"caf", b"a\x01\tb\n"), {}, "control_characters"),
        ("half-a-surrogate", plain.replace(b"caf", b"\\ud83d"), {}, None),
        # Around the JSON.
        ("then-nuls", plain + b"\0\0\0", {}, "trailing_bytes"),
        ("then-html-comment", plain + b"\n<!-- served by node 7 -->\n", {}, "trailing_bytes"),
        ("then-comment", plain + b" /* cached */", {}, "trailing_bytes"),
        ("then-line-comment", plain + b" // cached", {}, "trailing_bytes"),
        ("not-a-number", plain[:-1] + b',"serviceFee":{"transactionFee":NaN},"x":-Infinity}', {}, "not_a_number"),
        ("status-float", plain.replace(b'"status":0', b'"status":0.0'), {}, None),
        ("status-text", plain.replace(b'"status":0', b'"status":"0"'), {}, None),
        # The head.
        ("head-space-before-colon", plain, {"head": ["X-Cache : hit"]}, None),
        ("head-no-colon", plain, {"head": ["X-Cache hit"]}, None),
        ("head-control-characters", plain, {"head": ["X-Trace: a\u0001b\u0007"]}, None),
        ("head-folded", plain, {"head": ["X-Via: first", "  second"]}, None),
        ("head-empty-name", plain, {"head": [": nameless"]}, None),
        ("head-300-lines", plain, {"head": [f"X-Filler-{i}: {i}" for i in range(300)]}, None),
    ]
    for name, body, answer, warning in read:
        warnings = [warning] if warning else []
        yield vector(f"{name}-void", "void", answer | {"hex": body.hex()},
                     {"outcome": "executed", "status": 0, "warnings": warnings + ["not_journaled"]})
        listed = body
        if name.startswith(("then", "head", "latin", "gbk")):
            yield vector(f"{name}-queryVoidOrders", "queryVoidOrders", answer | {"hex": listed.hex()},
                         {"outcome": "executed", "status": 0})
    # None of these says for certain what happened.
    for name, body, answer in [
        ("second-object", plain + b'{"status":805}', {}),
        ("second-object-after-comment", plain + b"/* */" + plain, {}),
        ("html-before", b"<html></html>" + plain, {}),
        ("html-after", plain + b"<script></script>", {}),
        ("double-encoded", json.dumps(text).encode(), {}),
        ("callback", b"callback(" + plain + b")", {}),
        ("open-comment", plain + b" /* cached", {}),
        ("gzip-cut", gz(plain)[:-9], coded("gzip")),
        ("gzip-wrong-checksum", gz(plain)[:-8] + b"\1\2\3\4" + gz(plain)[-4:], coded("gzip")),
        ("gzip-second-member-cut", gz(plain) + gz(plain)[:15], coded("gzip")),
        ("compressed-by-what-was-not-asked-for", b"\x28\xb5\x2f\xfd\x04\x58" + plain[:4], coded("zstd")),
        ("utf-16-without-a-mark", text.encode("utf-16-le"), {}),
    ]:
        yield vector(f"{name}-void", "void", answer | {"hex": body.hex()},
                     {"outcome": "unknown", "status": -44, "code": "bad_response"})
    # A refusal stays one through the same proxies.
    refusal = b'{"status":805,"msg":"caf\xe9"}\0'
    yield vector("refusal-through-a-bad-proxy-void", "void", coded("utf-8") | {"hex": gz(refusal).hex()},
                 {"outcome": "not_executed", "status": -43, "code": "refused",
                  "warnings": ["content_coding", "charset", "trailing_bytes", "not_journaled"]})


def write(name, about, vectors):
    lines = []
    for one in vectors:
        parts = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}"
                 for key, value in one.items()]
        lines.append("{\n" + ",\n".join(parts) + "\n}")
    text = f'{{\n"about": {json.dumps(about)},\n"vectors": [\n' + ",\n".join(lines) + "\n]\n}\n"
    (HERE / name).write_text(text)


if __name__ == "__main__":
    write("reading.json", "Answers that are not quite JSON in UTF-8 over HTTP: read where they are whole, unknown where "
                          "they are not. Written by tables/generate.py.", reading())
    write("codes.json", "Every vendor code of every operation. Written by tables/generate.py.", codes())
    write("http.json", "HTTP statuses, answers without the vendor's envelope, all forms of 429. "
                       "Written by tables/generate.py.", http())
