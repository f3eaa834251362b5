"""What is done to the mesh: processes killed as by kill -9 and started again, stopped past their lease, servers that lose power."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from weft.stack.errors import StackError

from tests.faults.hunt.hunted import LEASE_S, Hunted
from tests.faults.mesh import Node

EVERY_S = 3.0
"""Between two faults, on average; a fault may last longer, so that several meet."""
AT_ONCE = 2
"""Processes that are away or stopped at once, at most: what is down as a whole loses no races."""
STOPPED = 0.25
"""Share of faults that stop a process instead of killing it."""
AWAY_S = 2.0
"""How long a killed process is away, at most."""
SERVERS_EVERY_S = 45.0
STARTS = 3
"""Of a server that was killed, each as long as one may take."""
LOOK_S = 0.05


class Server(Protocol):
    """A PostgreSQL or RabbitMQ of our own."""

    def kill(self) -> None: ...
    def start(self) -> object: ...


@dataclass
class Killing:
    """servers: by name, those that may be killed; none where they are shared.  kinds: of processes that may be.  did: faults by kind."""

    hunted: Hunted
    rng: random.Random
    servers: dict[str, Server]
    kinds: tuple[str, ...]
    stops: bool = True
    did: Counter[str] = field(default_factory=Counter)
    log: list[str] = field(default_factory=list)
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _busy: set[str] = field(default_factory=set)

    def end(self) -> None:
        """No more of it; what is under way is brought to its end."""
        self._over.set()

    async def run(self) -> None:
        """One fault after another, some at once, until it is ended; then everything is up again."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._supervise())
            if self.servers:
                group.create_task(self._servers())
            while self.kinds and not await self._rest(EVERY_S):
                kind = self.rng.choice(self.kinds)
                place = self.rng.randrange(len(self.hunted.nodes[kind]))
                if f"{kind}{place}" not in self._busy and len(self._busy) < AT_ONCE:
                    self._busy.add(f"{kind}{place}")
                    group.create_task(self._strike(kind, place))

    async def _rest(self, average_s: float) -> bool:
        """Wait a while. Returns: whether it is over."""
        try:
            async with asyncio.timeout(self.rng.expovariate(1 / average_s)):
                await self._over.wait()
        except TimeoutError:
            return False
        return True

    async def _strike(self, kind: str, place: int) -> None:
        node = self.hunted.nodes[kind][place]
        if self.stops and self.rng.random() < STOPPED:
            self._note(f"stop {kind}")
            await self._stop(node)
        else:
            self._note(f"kill {kind}")
            await node.kill()
            await asyncio.sleep(self.rng.uniform(0.0, AWAY_S))
            await self._revive(kind, place)
        self._busy.discard(f"{kind}{place}")

    async def _revive(self, kind: str, place: int) -> None:
        """Another process in a place, up. One that finds no broker or database ends, and is started again, as a supervisor does."""
        while True:
            heir = self.hunted.spawn(kind)
            self.hunted.nodes[kind][place] = heir
            if await _up(heir):
                return
            self._note(f"{kind} could not start")
            await asyncio.sleep(AWAY_S)

    async def _supervise(self) -> None:
        """Start again what has ended by itself."""
        while not self._over.is_set():
            for kind, nodes in self.hunted.nodes.items():
                for place, node in enumerate(nodes):
                    if not node.alive and f"{kind}{place}" not in self._busy:
                        self._note(f"{kind} ended by itself")
                        await self._revive(kind, place)
            await asyncio.sleep(LOOK_S)

    async def _stop(self, node: Node) -> None:
        node.signal(signal.SIGSTOP)
        await asyncio.sleep(LEASE_S * self.rng.uniform(0.2, 2.0))
        node.signal(signal.SIGCONT)

    async def _servers(self) -> None:
        while not await self._rest(SERVERS_EVERY_S):
            name = self.rng.choice(sorted(self.servers))
            self._note(f"kill {name}")
            await asyncio.to_thread(self.servers[name].kill)
            await asyncio.sleep(self.rng.uniform(0.0, AWAY_S))
            await self._start(name)

    async def _start(self, name: str) -> None:
        """Bring a server back. On a machine that computes much else it may take longer than a start may, and is started again."""
        for left in reversed(range(STARTS)):
            try:
                await asyncio.to_thread(self.servers[name].start)
                return
            except StackError:
                self._note(f"{name} could not start")
                if not left:
                    raise

    def _note(self, what: str) -> None:
        self.did[what] += 1
        self.log.append(f"{asyncio.get_running_loop().time():.2f} {what}")


async def _up(node: Node) -> bool:
    """Wait until a process is up, or has ended. Returns: whether it is up."""
    while True:
        if node.ready.exists() or not node.alive:
            return node.ready.exists()
        await asyncio.sleep(LOOK_S)
