"""What the fuzz targets begin with, beside `corpus/`: inputs made of the vectors in `tests/vectors`. Standard library only."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

Vector = dict[str, Any]


def vectors() -> Iterator[Vector]:
    for file in sorted((ROOT / "tests/vectors").glob("*.json")):
        yield from json.loads(file.read_text())["vectors"]


def compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def answers(vector: Vector) -> Iterator[tuple[int, dict[str, str], bytes]]:
    """Status, headers and body of what the server of a vector answers."""
    for turn in vector.get("server") or []:
        answer = turn.get("answer") if isinstance(turn, dict) else None
        if not isinstance(answer, dict):
            continue
        if "hex" in answer:
            body = bytes.fromhex(answer["hex"])
        elif "text" in answer:
            body = str(answer["text"]).encode()
        else:
            body = compact(answer.get("body"))
        headers = {name: value for name, value in (answer.get("headers") or {}).items() if isinstance(value, str)}
        yield int(answer.get("status", 200)), headers, body


def http_answer(status: int, headers: dict[str, str], body: bytes) -> bytes:
    given = {name.lower() for name in headers}
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers.items())]
    if not given & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def of_vector(vector: Vector) -> Iterator[tuple[str, bytes]]:
    """Target and input."""
    operation = str(vector["operation"]).encode()
    request = compact(vector.get("request", {}))
    yield "request", operation + b"\n" + request
    yield "door", b"\t".join([operation, request, compact(vector["options"]) if "options" in vector else b"", b"/error/help"])
    if "config" in vector:
        yield "door", b"new\t" + compact(vector["config"])
    for status, headers, body in answers(vector):
        yield "reply", operation + b" %d\n" % status + request + b"\n" + body
        yield "http", operation + b"\n" + http_answer(status, headers, body)
    if operation in (b"parseWebhook", b"case.notify"):
        request = vector.get("request")
        body = request.get("body", request) if isinstance(request, dict) else request
        text = body.encode() if isinstance(body, str) else compact(body)
        yield "notify", text
        yield "notify", text.replace(b"TESTA20260302160000001", b"ORDER")


def others() -> Iterator[tuple[str, bytes]]:
    """Forms that no vector has: chunks, codings, and damage to a store."""
    body = b'{"status":0,"orderNo":"TESTA20260302160000001","voidCode":"202603-0001"}'
    for status in (100, 200, 302, 404, 429, 503):
        yield "http", b"void\n" + http_answer(status, {"Retry-After": "1"}, body)
    yield "http", b"void\n" + http_answer(200, {"Content-Encoding": "gzip"}, gzip.compress(body, mtime=0))
    yield "http", b"void\n" + http_answer(200, {"Content-Encoding": "gzip, gzip"}, gzip.compress(gzip.compress(body, mtime=0), mtime=0))
    # Without a length, the body goes on to the end.
    yield "http", b"void\nHTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(body, mtime=0)
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    yield "http", b"void\n" + http_answer(200, {"Transfer-Encoding": "chunked"}, chunks)
    for at in (0, 16, 28, 92, 100, 4096, 8192, 20_000):
        yield "store", b"f" + at.to_bytes(3, "big") + b"\x02\xff\x00"
        yield "store", b"t" + at.to_bytes(3, "big")
    for column in range(70):
        yield "store", bytes([ord("v"), column, 0, 1]) + (2**40).to_bytes(8, "little")
        yield "store", bytes([ord("v"), column, 0, 3]) + b'{"id":"x","state":"unknown"}'
        yield "store", bytes([ord("e"), column, 1, 0, 40, 3]) + b"null"
    for call in (b'case.list\t{"limit":2}', b'case.get\t{"key":"unknown"}\t\t/case/state', b'case.stats\t{}', b'void\t{}\tdescribe'):
        yield "door", call
        yield "door", call + b"\n" + b'case.resolve\t{"key":"unknown","as":"executed","by":"a","evidence":"b"}'


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from keys(inner)


def words() -> set[str]:
    """Names of operations and of fields, for libFuzzer's dictionary."""
    found: set[str] = set()
    for vector in vectors():
        found.add(str(vector["operation"]))
        found.update(keys(vector.get("request")), keys([answer for *_, answer in map(_parsed, answers(vector))]))
    return {word for word in found if word.isascii() and word.replace(".", "").isalnum()}


def _parsed(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, Any]:
    try:
        return answer[0], json.loads(answer[2])
    except ValueError:
        return answer[0], None


def write(folder: Path) -> None:
    """The inputs of every target, in a folder of its own, and a dictionary."""
    (folder / "dictionary").write_text("".join(f'"{word}"\n' for word in sorted(words())))
    inputs = [*(one for vector in vectors() for one in of_vector(vector)), *others()]
    for number, (target, content) in enumerate(inputs):
        (folder / target).mkdir(parents=True, exist_ok=True)
        (folder / target / f"{number:05}").write_bytes(content)
