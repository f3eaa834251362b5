"""Free loopback ports. They are taken below the ephemeral range, so that an outgoing connection cannot sit on a remembered one."""

import random
import socket
from collections.abc import Iterable

LOOPBACK = "127.0.0.1"
LOWEST, HIGHEST = 20_000, 29_999


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def choose(wanted: int | None = None, avoid: Iterable[int] = ()) -> int:
    """The wanted port when it is free, else a free one in [20000, 29999].

    avoid: ports promised to somebody else who does not listen yet.
    Raises: OSError when the whole range is taken.
    """
    avoided = set(avoid)
    if wanted is not None and wanted not in avoided and is_free(wanted):
        return wanted
    for port in random.sample(range(LOWEST, HIGHEST + 1), HIGHEST - LOWEST + 1):
        if port not in avoided and is_free(port):
            return port
    raise OSError(f"no free loopback port between {LOWEST} and {HIGHEST}")
