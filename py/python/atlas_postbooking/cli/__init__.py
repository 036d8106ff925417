"""The command line ``atlas-postbooking``; needs the extra ``cli``."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line and exits."""
    try:
        import click
    except ImportError:
        sys.exit("atlas-postbooking: the command line needs click: pip install 'atlas-postbooking[cli]'")
    del click
    from .app import run

    sys.exit(run(sys.argv[1:]))
