"""The closed loop that drives every system, in a process of its own.

It reads a command a line (`{"workload", "open", "warm_s", "seconds"}`) and answers with three: `begun` when it counts,
`result` when the time is over, `drained` when nothing is open any more.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

DRAIN_S = 60.0
PATIENCE_S = 45.0
Execute = Callable[[str], Awaitable[None]]


def percentile(ordered: list[float], share: float) -> float:
    """A percentile of ordered seconds, ms."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else 0.0


def say(**words: Any) -> None:
    """One line to who drives this process."""
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


async def drive(execute: Execute) -> None:
    """Obey commands until there are no more. execute: runs one execution of a workload from its start to its known end."""
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    say(ready=True)
    while line := await lines.readline():
        command = json.loads(line)
        try:
            await _loop(execute, **command)
        except Exception as error:  # noqa: BLE001 - whatever a peer's client raises is told to who reads the table
            say(error=f"{type(error).__name__}: {error}")


async def _loop(execute: Execute, workload: str, open: int, warm_s: float, seconds: float) -> None:
    latencies: list[float] = []
    going = True

    async def repeat() -> None:
        while going:
            began = time.perf_counter()
            await execute(workload)
            latencies.append(time.perf_counter() - began)

    loops = [asyncio.create_task(repeat()) for _ in range(open)]
    try:
        await _unless_broken(loops, warm_s)
        latencies.clear()
        began = time.perf_counter()
        say(begun=True)
        await _unless_broken(loops, seconds)
        # A system that needs longer than that for one execution is measured over the time of one.
        while not latencies and time.perf_counter() - began < PATIENCE_S:
            await _unless_broken(loops, 0.05)
        took, ordered = time.perf_counter() - began, sorted(latencies)
        going = False
        if not ordered:
            raise NothingEnded(f"none of {open} executions ended within {took:.0f} s after {warm_s:.0f} s of warming up")
        say(result={"executions_per_s": len(ordered) / took, "p50_ms": percentile(ordered, 0.5), "p99_ms": percentile(ordered, 0.99),
                    "executions": len(ordered)})  # fmt: skip
        _, late = await asyncio.wait(loops, timeout=DRAIN_S)
        if late:
            raise NothingEnded(f"{len(late)} of {open} executions did not end within {DRAIN_S:.0f} s after the load had stopped")
        for loop in loops:
            loop.result()
        say(drained=True)
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)


async def _unless_broken(loops: list[asyncio.Task[None]], seconds: float) -> None:
    ended, _ = await asyncio.wait(loops, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
    for loop in ended:
        loop.result()


class NothingEnded(Exception):
    """Executions that the system did not complete in time."""


class Ends:
    """Executions whose end is heard apart from their start."""

    def __init__(self) -> None:
        self._open: dict[str, asyncio.Future[None]] = {}

    def expect(self, execution_id: str) -> asyncio.Future[None]:
        """What is done when the execution has ended."""
        end = self._open[execution_id] = asyncio.get_running_loop().create_future()
        return end

    def ended(self, execution_id: str) -> None:
        """An execution has ended; a repeat changes nothing."""
        end = self._open.pop(execution_id, None)
        if end is not None and not end.done():
            end.set_result(None)


class Batches:
    """What is asked for while the last batch is on its way goes out together with the next.

    send: sends many at once.
    """

    def __init__(self, send: Callable[[list[Any]], Awaitable[None]]) -> None:
        self._send = send
        self._waiting: list[tuple[Any, asyncio.Future[None]]] = []
        self._sending: asyncio.Task[None] | None = None

    async def add(self, thing: Any) -> None:
        """Send; returns when it has been sent. Raises: what `send` raises."""
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((thing, sent))
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._flush())
        await sent

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await self._send([thing for thing, _ in batch])
            except Exception as error:  # noqa: BLE001 - each sender is told
                for _, sent in batch:
                    if not sent.done():
                        sent.set_exception(error)
            else:
                for _, sent in batch:
                    if not sent.done():
                        sent.set_result(None)
