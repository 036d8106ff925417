"""Moves the clock of the simulator, so that an example does not take the 21 days of a refund. It is not part of the
API: a real program waits, by its scheduler, until the next query."""

import json
import urllib.request


def advance_clock(base_url: str, minutes: int) -> None:
    """Moves the clock forward."""
    body = json.dumps({"advance": f"{minutes}m"}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{base_url}/_sim/clock", body)).close()
