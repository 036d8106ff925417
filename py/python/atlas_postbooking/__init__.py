"""Post-booking calls of the Atlas flight API: refunds, voids, ancillaries, orders, notifications.

Every reply and every exception has an outcome: executed, not executed, or unknown.

    with Client(base_url="https://…", client_id="…", client_secret="…") as client:
        quote = client.void_quotation(order_no="TESTA20260302160000000")
        client.void(order_no=quote.order_no, void_offer_id=quote.void_offer_id)
"""

from ._cases import CaseList, Cases
from ._client import AsyncClient, Client
from ._errors import (
    AlreadySubmitted,
    AtlasError,
    AuthError,
    Cancelled,
    CaseConflict,
    ConfigError,
    GuardError,
    LibraryError,
    NotExecuted,
    CasePending,
    OutcomeUnknown,
    RateLimited,
    Refused,
    RequestError,
    TransportError,
)
from ._follow import AsyncFollow, Follow
from ._local import describe, parse_webhook, validate
from ._many import CaseVerdict, Progress
from ._native import VERSION as __version__
from ._pages import AsyncOrders, Orders, OrdersMovedWarning
from ._record import Record
from ._reply import Outcome, Reply

__all__ = [
    "AlreadySubmitted",
    "AsyncClient",
    "AsyncFollow",
    "AsyncOrders",
    "AtlasError",
    "AuthError",
    "Cancelled",
    "CaseConflict",
    "CaseList",
    "CaseVerdict",
    "Cases",
    "Client",
    "ConfigError",
    "Follow",
    "GuardError",
    "LibraryError",
    "NotExecuted",
    "Orders",
    "OrdersMovedWarning",
    "Outcome",
    "CasePending",
    "OutcomeUnknown",
    "RateLimited",
    "Progress",
    "Record",
    "Refused",
    "Reply",
    "RequestError",
    "TransportError",
    "__version__",
    "describe",
    "parse_webhook",
    "validate",
]
