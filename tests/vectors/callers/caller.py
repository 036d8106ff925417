"""Like caller.c, in Python; caller.c describes the protocol. The native module has no accessors for the HTTP status,
the vendor status and the number of handles; `-` and 0 are written instead."""

import sys

try:
    from atlas_postbooking import _native
except ImportError as error:
    print(f"the package cannot be imported: {error}", flush=True)
    sys.exit(77)

OUTCOMES = {"unknown": 0, "executed": 1, "not_executed": 2, "pending": 3}


def answer(verb: str, times: int, operation: bytes, config: bytes, request: bytes, options: bytes) -> "_native.Reply":
    if verb == "VALIDATE":
        return _native.validate(operation, request)
    if verb == "DESCRIBE":
        return _native.describe(operation or None)
    if verb == "LOCAL":
        return _native.call(operation, request, options)
    client = _native.open(config)
    if isinstance(client, _native.Reply):
        return client
    for _ in range(times):
        reply = client.call(operation, request, options)
    return reply


def main() -> None:
    print("ready", flush=True)
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while line := source.readline():
        verb, times, *sizes = line.decode().split()
        reply = answer(verb, int(times), *(source.read(int(size)) for size in sizes))
        json, raw = reply.json.encode(), reply.raw
        raw_len = -1 if raw is None else len(raw)
        sink.write(f"{reply.status} {OUTCOMES[reply.outcome]} - - {len(json)} {raw_len} 0\n".encode())
        sink.write(json + (raw or b""))
        sink.flush()


main()
