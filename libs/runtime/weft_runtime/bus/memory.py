"""Exchanges and queues in memory, behaving like RabbitMQ's quorum queues as far as the bus promises."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Protocol

from weft_contracts import routing

from weft_runtime.bus.ports import OutFrame
from weft_runtime.bus.topology import EXCHANGES, QueueSpec, Topology
from weft_runtime.errors import Unavailable

MAX_QUEUE_BYTES = 256 * 1024 * 1024
"""A queue that holds this much refuses more, so that a stuck reader cannot eat the process's memory."""


class Reader(Protocol):
    """What a queue sees of a consumer."""

    @property
    def room(self) -> int:
        """Frames it may still be given."""

    def give(self, entry: Entry) -> None:
        """Give one frame."""


@dataclass(slots=True, eq=False)
class Entry:
    """A frame in a queue. number: its place in the queue, rising.  given: times it was given out before and not acked."""

    number: int
    frame: OutFrame
    given: int = 0


@dataclass(slots=True, eq=False)
class Queue:
    """A queue: entries ready in order, and who reads it."""

    spec: QueueSpec
    exchanges: Exchanges
    ready: deque[Entry] = field(default_factory=deque)
    consumers: list[Any] = field(default_factory=list)
    size_bytes: int = 0
    last: int = 0

    @property
    def name(self) -> str:
        """Its name."""
        return self.spec.name

    def put(self, frame: OutFrame) -> None:
        """Append. Raises: Unavailable when full."""
        if self.size_bytes + len(frame.body) > MAX_QUEUE_BYTES:
            raise Unavailable(f"the queue {self.name} is full: its reader is stuck or slow", code="queue_full")
        self.last += 1
        self.size_bytes += len(frame.body)
        self.ready.append(Entry(self.last, frame))
        self.serve()

    def join(self, consumer: Reader) -> None:
        """A new reader; with a single active consumer it may have to stand by."""
        self.consumers.append(consumer)
        self.serve()

    def leave(self, consumer: Reader) -> None:
        """A reader goes; the next in line becomes active."""
        if consumer in self.consumers:
            self.consumers.remove(consumer)
            self.serve()

    def serve(self) -> None:
        """Give out what can be given, in turn."""
        readers = self.consumers[:1] if self.spec.single else self.consumers
        while self.ready:
            reader = next((reader for reader in readers if reader.room > 0), None)
            if reader is None:
                return
            entry = self.ready.popleft()
            self.size_bytes -= len(entry.frame.body)
            reader.give(entry)
            if not self.spec.single and len(self.consumers) > 1 and reader in self.consumers:
                self.consumers.append(self.consumers.pop(self.consumers.index(reader)))

    def give_back(self, entries: list[Entry]) -> None:
        """Back to their old places; those that came back too often go to the dead letters."""
        kept = []
        for entry in entries:
            entry.given += 1
            if entry.given > self.spec.delivery_limit:
                self.bury(entry, "delivery_limit")
            else:
                self.size_bytes += len(entry.frame.body)
                kept.append(entry)
        if kept:
            self.ready = deque(sorted([*kept, *self.ready], key=lambda entry: entry.number))
        self.serve()

    def bury(self, entry: Entry, reason: str) -> None:
        """To the dead-letter exchange, with the header by which RabbitMQ says why."""
        if self.spec.dead_letters:
            headers = {**entry.frame.headers, "x-first-death-reason": reason, "x-first-death-queue": self.name}
            self.exchanges.route(replace(entry.frame, exchange=routing.DEAD, routing_key=self.name, headers=headers))


class Exchanges:
    """All exchanges and queues of one address."""

    def __init__(self) -> None:
        self.queues: dict[str, Queue] = {}
        self._direct: dict[tuple[str, str], list[Queue]] = {}
        self._topics: dict[str, list[tuple[str, Queue]]] = {}

    def declare(self, topology: Topology) -> None:
        """Make sure these queues and bindings exist."""
        for spec in topology.queues:
            queue = self.queues.setdefault(spec.name, Queue(spec, self))
            for binding in spec.bindings:
                if EXCHANGES[binding.exchange] == "direct":
                    bound = self._direct.setdefault((binding.exchange, binding.key), [])
                    if queue not in bound:
                        bound.append(queue)
                elif (binding.key, queue) not in (patterns := self._topics.setdefault(binding.exchange, [])):
                    patterns.append((binding.key, queue))

    def route(self, frame: OutFrame) -> int:
        """Put a frame into every queue bound for it. Returns: how many. Raises: Unavailable when one is full."""
        found = self._find(frame)
        for queue in found:
            queue.put(frame)
        return len(found)

    def _find(self, frame: OutFrame) -> list[Queue]:
        if not frame.exchange:
            queue = self.queues.get(frame.routing_key)
            return [queue] if queue else []
        if EXCHANGES.get(frame.exchange) == "direct":
            return self._direct.get((frame.exchange, frame.routing_key), [])
        found = {queue.name: queue for key, queue in self._topics.get(frame.exchange, []) if matches(key, frame.routing_key)}
        return list(found.values())


@lru_cache(maxsize=1024)
def _pattern(key: str) -> re.Pattern[str]:
    text = ""
    for word in key.split("."):
        text += r"(?:\.[^.]*)*" if word == "#" else r"\.[^.]*" if word == "*" else r"\." + re.escape(word)
    return re.compile(text)


def matches(pattern: str, key: str) -> bool:
    """Whether a topic binding takes a routing key: `*` is one word, `#` any number of words. Source: AMQP 0-9-1, 3.1.3.3."""
    return _pattern(pattern).fullmatch("." + key if key else "") is not None
