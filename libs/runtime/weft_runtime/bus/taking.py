"""The half of a consumer that every transport shares: what has come waits here until it is taken."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from weft_contracts.frames import MAX_FRAME_BYTES

from weft_runtime.bus.ports import MAX_TAKE, BusClosed, Delivery


class Taking:
    """Deliveries in the order in which they came, for one reader. queue: its name.  on_arrival: called for each."""

    def __init__(self, queue: str, on_arrival: Callable[[], None] | None) -> None:
        self.queue = queue
        self._on_arrival = on_arrival
        self._waiting: deque[Delivery] = deque()
        self._arrived = asyncio.Event()
        self._stopped = False

    @property
    def waiting(self) -> bool:
        """Whether there is something to take now."""
        return bool(self._waiting)

    async def take(self, *, max_frames: int = MAX_TAKE, max_bytes: int = MAX_FRAME_BYTES) -> list[Delivery]:
        """Everything waiting, at least one. Raises: BusClosed."""
        while True:
            if self._stopped:
                raise BusClosed(f"the subscription to {self.queue} was ended by this process")
            if self._waiting:
                break
            self._arrived.clear()
            await self._arrived.wait()
        return self.take_now(max_frames=max_frames, max_bytes=max_bytes)

    def take_now(self, *, max_frames: int = MAX_TAKE, max_bytes: int = MAX_FRAME_BYTES) -> list[Delivery]:
        """What is there now."""
        taken: list[Delivery] = []
        size = 0
        while self._waiting and len(taken) < max_frames and size < max_bytes:
            taken.append(self._waiting.popleft())
            size += len(taken[-1].body)
        if size:
            self._let_go(size)
        return taken

    def _came(self, delivery: Delivery) -> None:
        """A transport's word that something has come."""
        self._waiting.append(delivery)
        self._arrived.set()
        if self._on_arrival is not None:
            self._on_arrival()

    def _let_go(self, size: int) -> None:
        """Bodies of `size` bytes are held here no longer."""
