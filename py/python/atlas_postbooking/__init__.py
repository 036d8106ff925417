"""Post-booking calls of the Atlas flight API: refunds, voids, ancillaries, orders, notifications.

Every reply and every exception has an outcome: executed, not executed, or unknown.

    with Client(base_url="https://…", client_id="…", client_secret="…") as client:
        quote = client.void_quotation(order_no="TESTA20260302160000000")
        client.void(order_no=quote.order_no, void_offer_id=quote.void_offer_id)
"""

from ._native import VERSION as __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._cases import CaseList, Cases
    from ._async_cases import AsyncCaseList, AsyncCases
    from ._client import Client
    from ._async_client import AsyncClient
    from ._errors import (
        AlreadySubmitted,
        AtlasError,
        AuthError,
        Cancelled,
        CaseConflict,
        CasePending,
        ConfigError,
        GuardError,
        LibraryError,
        NotExecuted,
        OutcomeUnknown,
        RateLimited,
        Refused,
        RequestError,
        TransportError,
    )
    from ._follow import AsyncFollow, Follow
    from ._local import describe, parse_webhook, validate
    from ._many import CaseVerdict, Progress
    from ._pages import AsyncOrders, Orders, OrdersMovedWarning
    from ._record import Record
    from ._reply import Outcome, Reply

__all__ = [
    "AlreadySubmitted",
    "AsyncCaseList",
    "AsyncCases",
    "AsyncClient",
    "AsyncFollow",
    "AsyncOrders",
    "AtlasError",
    "AuthError",
    "Cancelled",
    "CaseConflict",
    "CaseList",
    "CasePending",
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
    "OutcomeUnknown",
    "Progress",
    "RateLimited",
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

#: The module of each name: it is imported when the name is first used, so that a program pays for what it uses.
_MODULES = {
    "_cases": ("CaseList", "Cases"),
    "_async_cases": ("AsyncCaseList", "AsyncCases"),
    "_client": ("Client",),
    "_async_client": ("AsyncClient",),
    "_errors": (
        "AlreadySubmitted",
        "AtlasError",
        "AuthError",
        "Cancelled",
        "CaseConflict",
        "CasePending",
        "ConfigError",
        "GuardError",
        "LibraryError",
        "NotExecuted",
        "OutcomeUnknown",
        "RateLimited",
        "Refused",
        "RequestError",
        "TransportError",
    ),
    "_follow": ("AsyncFollow", "Follow"),
    "_local": ("describe", "parse_webhook", "validate"),
    "_many": ("CaseVerdict", "Progress"),
    "_pages": ("AsyncOrders", "Orders", "OrdersMovedWarning"),
    "_record": ("Record",),
    "_reply": ("Outcome", "Reply"),
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        for module, names in _MODULES.items():
            if name in names:
                found = getattr(__import__(f"{__name__}.{module}", fromlist=[name]), name)
                # The next access finds it without this function.
                globals()[name] = found
                return found
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
