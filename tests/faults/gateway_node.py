"""A gateway by itself, told by the environment what it needs: what `weft gateway` is."""

from __future__ import annotations

import weft_gateway.app  # noqa: F401  so that it is warm
from weft.commands.service import serve


def main() -> None:
    """Be the gateway until it is ended."""
    serve("gateway")
