"""Sends what a commit has to say, in frames, until the broker has it. The journal holds it too, so nothing is lost with this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import structlog
from weft_contracts import routing
from weft_contracts.envelope import Item
from weft_contracts.frames import encode_frame, split
from weft_runtime.bus import Bus, BusClosed, OutFrame, Unroutable
from weft_runtime.bus.topology import pool
from weft_runtime.errors import WeftError

from weft_engine.core.messages import Outgoing
from weft_engine.hotloop.owned import Outbound, Owned

WORK_FRAME_ITEMS: Final = 50
"""Activities in a frame: few enough that several workers share a burst, enough that a frame's cost is small."""
RETRY_S: Final = 0.5
WARN_EVERY_S: Final = 5.0
UNROUTABLE_RETRY_S: Final = 5.0
LINGER_S: Final = 0.02
"""A fact that says that an execution goes on waits so long for others: who hears facts pays by the message, and none is urgent."""
URGENT: Final = frozenset(f"execution.{how}" for how in ("completed", "failed", "cancelled", "timed_out", "rejected", "skipped"))
"""Facts somebody may be waiting for: they wait only while others are on their way, as Nagle's algorithm has it."""

log = structlog.get_logger(__name__)


def frames_of(outgoing: Iterable[Outgoing]) -> list[OutFrame]:
    """Items for the same place together, in order."""
    places: dict[tuple[str, str], list[tuple[Item, int]]] = {}
    for out in outgoing:
        places.setdefault((out.exchange, out.key), []).append((out.item, out.size_bytes))
    return [
        OutFrame(exchange, key, encode_frame(items))
        for (exchange, key), sized in places.items()
        for items in split(sized, max_items=WORK_FRAME_ITEMS if exchange == routing.WORK else 500)
    ]


class Commit:
    """What one commit says, until the broker has all of it: commands and work go at once, facts may go later."""

    __slots__ = ("_outbounds", "parts")

    def __init__(self, outbounds: Sequence[tuple[Owned, Outbound]]) -> None:
        self._outbounds = outbounds
        self.parts = 1

    def part_said(self) -> None:
        """The broker has one part more; with the last each partition is told."""
        self.parts -= 1
        if not self.parts:
            for owned, outbound in self._outbounds:
                owned.confirm(outbound)


class Publisher:
    """Publishes for one lane. A queue that nobody declared yet is declared when it is an activity's."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._declared: set[str] = set()
        self._declaring = asyncio.Lock()
        self._retrying: set[asyncio.Task[None]] = set()
        self._facts: list[Outgoing] = []
        self._gathered: list[Commit] = []
        self._urgent = False
        self._facts_on_way = 0
        self._timer: asyncio.TimerHandle | None = None
        self._on_way = 0
        self._warn_at = 0.0
        self._all_said = asyncio.Event()

    def say(self, outgoing: Sequence[Outgoing], outbounds: Sequence[tuple[Owned, Outbound]]) -> None:
        """Send in the background; each partition is told when the broker has its part."""
        commit = Commit(outbounds)
        prompt = [out for out in outgoing if out.exchange != routing.EVENTS]
        if len(prompt) < len(outgoing):
            commit.parts += 1
            self._gathered.append(commit)
            for out in outgoing:
                if out.exchange == routing.EVENTS:
                    self._facts.append(out)
                    self._urgent = self._urgent or out.item.type in URGENT
        if prompt:
            self._send(frames_of(prompt), [commit], self._said)
        else:
            commit.part_said()
        self._consider()

    def _consider(self) -> None:
        """Say the facts now when they are urgent and no others are on their way, else in a little while."""
        if not self._facts:
            return
        if self._urgent and not self._facts_on_way:
            self._say_facts()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LINGER_S, self._say_facts)

    def _say_facts(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        facts, self._facts = self._facts, []
        gathered, self._gathered = self._gathered, []
        self._urgent = False
        if facts:
            self._facts_on_way += 1
            self._send(frames_of(facts), gathered, self._facts_said)

    def _facts_said(self, commits: Sequence[Commit]) -> None:
        self._facts_on_way -= 1
        self._said(commits)
        self._consider()

    def _said(self, commits: Sequence[Commit]) -> None:
        for commit in commits:
            commit.part_said()

    async def settle(self, timeout_s: float = 5.0) -> None:
        """Wait until everything is confirmed, at most that long: what is left the next owner says."""
        self._say_facts()
        try:
            async with asyncio.timeout(timeout_s):
                while self._on_way:
                    self._all_said.clear()
                    await self._all_said.wait()
        except TimeoutError:
            return

    def _send(self, frames: Sequence[OutFrame], commits: Sequence[Commit], said: Callable[[Sequence[Commit]], None]) -> None:
        self._on_way += 1

        def done(error: WeftError | None) -> None:
            if error is None or (isinstance(error, Unroutable) and not needed(error.frames)):
                self._landed(commits, said)
            elif isinstance(error, BusClosed):
                self._gone()  # the journal has it too; the next owner says it
            else:
                self._retry(frames, error, commits, said)

        if any(frame.exchange == routing.WORK and frame.routing_key not in self._declared for frame in frames):
            self._retry(frames, None, commits, said)
        else:
            self._bus.send(frames, done)

    def _landed(self, commits: Sequence[Commit], said: Callable[[Sequence[Commit]], None]) -> None:
        self._gone()
        said(commits)

    def _gone(self) -> None:
        self._on_way -= 1
        if not self._on_way:
            self._all_said.set()

    def _retry(
        self,
        frames: Sequence[OutFrame],
        error: WeftError | None,
        commits: Sequence[Commit],
        said: Callable[[Sequence[Commit]], None],
    ) -> None:
        task = asyncio.create_task(self._until_said(frames, error, commits, said))
        self._retrying.add(task)
        task.add_done_callback(self._retrying.discard)

    async def _until_said(
        self,
        frames: Sequence[OutFrame],
        error: WeftError | None,
        commits: Sequence[Commit],
        said: Callable[[Sequence[Commit]], None],
    ) -> None:
        try:
            if error is not None:
                frames = await self._after(frames, error)
            await self.send(frames)
        except BusClosed:
            self._gone()
            return
        self._landed(commits, said)

    async def send(self, frames: Sequence[OutFrame]) -> None:
        """Returns when the broker has confirmed every frame, however long that takes. Raises: BusClosed when this process ends."""
        waiting = list(frames)
        while waiting:
            try:
                await self._declare(waiting)
                await self._bus.publish(waiting)
                return
            except BusClosed:
                raise
            except WeftError as error:
                waiting = await self._after(waiting, error)

    async def _after(self, frames: Sequence[OutFrame], error: WeftError) -> list[OutFrame]:
        """Wait as long as that failure asks for. Returns: what is to be sent again."""
        if not isinstance(error, Unroutable):
            now = asyncio.get_running_loop().time()
            if now >= self._warn_at:  # each commit waits by itself, and all are told the same
                self._warn_at = now + WARN_EVERY_S
                log.warning("publish_failed", frames=len(frames), waiting=self._on_way, error=str(error))
            await asyncio.sleep(RETRY_S)
            return list(frames)
        waiting = needed(error.frames)
        if waiting:
            log.warning("nobody_listens", frames=len(waiting), queue=waiting[0].routing_key)
            self._declared.difference_update(frame.routing_key for frame in waiting)
            await asyncio.sleep(UNROUTABLE_RETRY_S)
        return waiting

    async def _declare(self, frames: Sequence[OutFrame]) -> None:
        for queue in sorted({frame.routing_key for frame in frames if frame.exchange == routing.WORK}):
            # One asks and the others wait for it: a new process has dozens of commits for the first queue by the time it knows it, and a
            # busy broker takes its time over each question.
            async with self._declaring:
                if queue not in self._declared:
                    await self._bus.declare(pool(queue.removeprefix("work.")))
                    self._declared.add(queue)


def needed(frames: Sequence[OutFrame]) -> list[OutFrame]:
    """Those that must find a queue. Facts and domain events that nobody listens to are complete once said."""
    return [frame for frame in frames if frame.exchange in (routing.WORK, routing.COMMANDS)]
