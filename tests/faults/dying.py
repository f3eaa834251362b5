"""Where a process of a test kills itself, as kill -9 would, or takes something that was done for not done."""

from __future__ import annotations

import os
import signal

_armed: dict[str, int] = {}


def arm(point: str, after: int) -> None:
    """Let this point be due once it was passed so often; "" is never."""
    if point:
        _armed[point] = after


def due(point: str) -> bool:
    """This point is passed: whether it is its turn, which comes once."""
    if point not in _armed:
        return False
    _armed[point] -= 1
    if _armed[point] >= 0:
        return False
    del _armed[point]
    return True


def passing(point: str) -> None:
    """This point is passed: die here when it is its turn."""
    if due(point):
        os.kill(os.getpid(), signal.SIGKILL)
