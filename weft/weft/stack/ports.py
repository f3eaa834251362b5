"""Free loopback ports. They are taken below the ephemeral range, so that an outgoing connection cannot sit on a remembered one.

Servers take seconds from the choice of their ports until they listen, and as long when they are started again. Meanwhile a port is
promised: no process of this user's machine that chooses here is given it.
"""

import os
import random
import re
import socket
import sys
from collections.abc import Iterable
from threading import Lock

from weft.stack.errors import StackError

LOOPBACK = "127.0.0.1"
LOWEST, HIGHEST = 20_000, 29_999
_promised: dict[int, socket.socket | None] = {}
_promising = Lock()


def reach() -> range:
    """The ports to choose from: WEFT_PORTS as `first-last`, else 20000 to 29999. Raises: StackError `ports_invalid`."""
    given = os.environ.get("WEFT_PORTS")
    if given is None:
        return range(LOWEST, HIGHEST + 1)
    found = re.fullmatch(r"(\d{1,5})-(\d{1,5})", given)
    if found is None or not 1024 <= int(found[1]) <= int(found[2]) <= 65_535:
        raise StackError(
            "ports_invalid", f"WEFT_PORTS={given!r} is no range of ports.", "Write it as first-last, both from 1024 to 65535: 21000-21999."
        )
    return range(int(found[1]), int(found[2]) + 1)


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
    """The wanted port when it is free, else a free one in `reach()`; promised to this process for as long as it lives.

    wanted: may have been promised to this process before.  avoid: ports that are meant for somebody else.
    Raises: StackError `ports_invalid`; OSError when the whole range is taken.
    """
    avoided = set(avoid)
    if wanted is not None and wanted not in avoided and is_free(wanted) and (wanted in _promised or _promise(wanted)):
        return wanted
    within = reach()
    for port in random.sample(within, len(within)):
        if port not in avoided and is_free(port) and _promise(port):
            return port
    raise OSError(f"no free loopback port between {within[0]} and {within[-1]}")


def _promise(port: int) -> bool:
    """Whether a port is promised to this process by this call: False when it is promised already, to this process or another."""
    with _promising:
        if port in _promised:
            return False
        held = None
        if sys.platform == "linux":
            # A name that one socket of the machine can have, whoever's it is, and that is free again when its process has ended.
            held = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                held.bind(f"\0weft/port/{port}")
            except OSError:
                held.close()
                return False
        _promised[port] = held
        return True
