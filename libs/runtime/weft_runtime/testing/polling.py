"""Looking until something is there, for tests that wait on another process: bounded, and never longer than needed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

WITHIN_S = 60.0
"""A bound on waiting, not a wait: what is looked for comes in moments, on a machine that has nothing else to do."""
PAUSE_S = 0.02
FoundT = TypeVar("FoundT")


def until(look: Callable[[], FoundT | None], what: str, *, within_s: float = WITHIN_S) -> FoundT:
    """What `look` finds, as soon as it finds it. what: named when it does not. Raises: TimeoutError."""
    deadline = time.monotonic() + within_s
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {within_s:g} s")
        time.sleep(PAUSE_S)
    return found


async def eventually(look: Callable[[], Awaitable[FoundT | None]], what: str, *, within_s: float = WITHIN_S) -> FoundT:
    """The same for a coroutine function. Raises: TimeoutError."""
    deadline = time.monotonic() + within_s
    while (found := await look()) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {within_s:g} s")
        await asyncio.sleep(PAUSE_S)
    return found
