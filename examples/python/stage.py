"""The world outside of the programs. In an example, nobody wants to wait 21 days for a refund: this moves the clock
of the simulated Atlas. It is not part of the API; in a real program, `pass_time` is your scheduler."""

import json
import urllib.request


def pass_time(base_url: str, minutes: int) -> None:
    """Lets so many minutes pass."""
    body = json.dumps({"advance": f"{minutes}m"}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{base_url}/_sim/clock", body)).close()
