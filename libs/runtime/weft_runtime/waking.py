"""How one part of a process tells another, which rests between two looks, that there is something to do."""

from __future__ import annotations

import asyncio
import contextlib


class Wake:
    """A look that can be had early. Calls between two waits count as one."""

    def __init__(self) -> None:
        self._called = asyncio.Event()

    def call(self) -> None:
        """There is something to do."""
        self._called.set()

    async def wait(self, longest_s: float) -> bool:
        """Until it is called, or for so long. Returns: whether it was called."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self._called.wait()
        called = self._called.is_set()
        self._called.clear()
        return called
