"""Exchanges, queues and bindings: what must exist before anybody speaks. Source of the names: `weft_contracts.routing`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from weft_contracts import routing
from weft_contracts.message import Command, Event, Message, PartitionCommand, PartitionReply

DELIVERY_LIMIT = 20
"""A frame given out more often than this without an ack goes to the dead letters: its reader dies of it."""

EXCHANGES = {
    routing.COMMANDS: "direct",
    routing.WORK: "direct",
    routing.EVENTS: "topic",
    routing.DOMAIN: "topic",
    routing.DEAD: "topic",
}
"""Every exchange of the mesh and its kind; all durable."""


@dataclass(frozen=True, slots=True)
class Binding:
    """What an exchange sends to a queue. key: for a topic exchange `*` is one word and `#` any number of words."""

    exchange: str
    key: str


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """A durable quorum queue.

    single: one consumer at a time is given frames, the others stand by.
    dead_letters: rejected frames go to `weft.dead`, else they are dropped.
    """

    name: str
    bindings: tuple[Binding, ...] = ()
    single: bool = False
    dead_letters: bool = True
    delivery_limit: int = DELIVERY_LIMIT


@dataclass(frozen=True, slots=True)
class Topology:
    """Queues to declare; the mesh's exchanges come with each."""

    queues: tuple[QueueSpec, ...] = ()

    def __add__(self, other: Topology) -> Topology:
        """Both."""
        return Topology((*self.queues, *other.queues))


def dead_queue(room: str) -> str:
    """The queue of a room's dead letters."""
    return f"{room}.dead"


def dead_letters(room: str, *keys: str) -> QueueSpec:
    """The queue a room reads its dead letters from. keys: names of its queues, or patterns of them."""
    return QueueSpec(dead_queue(room), tuple(Binding(routing.DEAD, key) for key in keys), dead_letters=False, delivery_limit=1_000_000)


def room(name: str, hears: Iterable[type[Message]], *, domain: bool = False) -> Topology:
    """The inbox of a room, bound to what it hears, and the queue of its dead letters.

    Words about one thing share one queue, so they arrive in the order they were said; `domain` adds the domain events.
    """
    inbox = routing.inbox_queue(name)
    bindings = [Binding(routing.COMMANDS, inbox)]
    for word in sorted(hears, key=lambda heard: heard.type):
        if issubclass(word, PartitionReply):
            continue  # an answer comes to the inbox that was named for it
        if issubclass(word, Event):
            bindings.append(Binding(routing.EVENTS, routing.event_key("*", word.type)))
        elif issubclass(word, PartitionCommand) or not issubclass(word, Command):
            raise TypeError(f"{name} cannot hear {word.__qualname__} in its inbox: it is neither an event nor a room's command")
    if domain:
        bindings.append(Binding(routing.DOMAIN, "#"))
    return Topology((QueueSpec(inbox, tuple(bindings)), dead_letters(name, inbox)))


def partitions(count: int) -> Topology:
    """The queues of the engine's partitions, one active consumer each, and the queue of their dead letters."""
    names = [routing.partition_queue(number) for number in range(count)]
    queues = [QueueSpec(name, (Binding(routing.COMMANDS, name),), single=True) for name in names]
    return Topology((*queues, dead_letters("engine", routing.inbox_queue("engine"), "engine.p.*")))


def pool(name: str) -> Topology:
    """The queue of a pool of workers. The engine, which asked, reads its dead letters: workers have no database."""
    queue = routing.work_queue(name)
    return Topology((QueueSpec(queue, (Binding(routing.WORK, queue),)), dead_letters("engine", "work.#")))
