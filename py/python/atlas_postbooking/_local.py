"""Functions that need no client and no network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from . import _native
from ._encode import encode_request, to_json
from ._errors import bad_request, error_of, panicked
from ._reply import Reply, reply_of
from .replies import WebhookReply


def parse_webhook(body: str | bytes | Mapping[str, Any]) -> WebhookReply:
    """Reads a notification of the vendor, from its body as received.

    Notifications are not signed: confirm the content with the operation named in ``reply.hint``. Notifications with
    the same ``dedupe_key`` are deliveries of one event. The payload is ``reply["data"]``.
    """
    if isinstance(body, str):
        try:
            text = body.encode()
        except UnicodeEncodeError:
            raise bad_request("the notification holds half of a surrogate pair, which is no text", "") from None
    elif isinstance(body, (bytes, bytearray, memoryview)):
        text = bytes(body)
    else:
        text = to_json(dict(body))
    try:
        source = _native.call(b"parseWebhook", text, b"")
    except _native.Panicked as panic:
        raise panicked("parseWebhook", str(panic), False) from None
    event: WebhookReply = ok_or_raise("parseWebhook", source)
    return event


def validate(operation: str, request: Mapping[str, Any] | None = None, /, **fields: Any) -> Reply:
    """Checks a request without sending it. ``reply["body"]`` is the body that would be sent."""
    try:
        source = _native.validate(operation.encode(errors="replace"), encode_request(operation, request, fields))
    except _native.Panicked as panic:
        raise panicked(operation, str(panic), False) from None
    checked: Reply = ok_or_raise("validate", source)
    return checked


def describe(operation: str | None = None) -> dict[str, Any]:
    """Describes one operation or all: ``{"operations": [{"name", "kind", "doc", "request", "reply", …}]}``.

    Of all: also ``"constants"``, the numbers of the C ABI by name.
    """
    try:
        source = _native.describe(None if operation is None else operation.encode(errors="replace"))
    except _native.Panicked as panic:
        raise panicked("describe", str(panic), False) from None
    if not source.ok:
        raise error_of(reply_of("describe", source))
    described: dict[str, Any] = json.loads(source.data)
    return described


def ok_or_raise(operation: str, source: _native.Reply) -> Any:
    """Returns the reply, or raises its exception."""
    reply = reply_of(operation, source)
    if source.ok:
        return reply
    raise error_of(reply)
