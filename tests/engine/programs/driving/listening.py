"""Domain events as the world has them: whoever looks out for one hears of it, also of those that came before it looked out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from weft_engine.core import items as i

from tests.engine.programs.driving.parts import Mail, Pair
from tests.engine.programs.shadow.events import Event
from tests.engine.programs.shadow.fibers import Wait


@dataclass
class Listening:
    """Everything that has happened outside, oldest first. now: of the world."""

    now: Callable[[], int]
    events: list[Event] = field(default_factory=list)

    def publish(self, type_: str, data: dict[str, Any], pairs: list[Pair]) -> Iterator[Mail]:
        """Something happens."""
        event = Event(f"e{len(self.events) + 1}", type_, data)
        self.events.append(event)
        for pair in pairs:
            for wait in pair.shadow.waits("state"):
                yield from self._brought(pair, wait, event)

    def look_back(self, pair: Pair, node: str, visit: int) -> Iterator[Mail]:
        """A visit begins to look out: what has come since the execution began, but for what that has taken."""
        for wait in pair.shadow.waits("state"):
            if (wait.node, wait.visit) == (node, visit):
                for event in self.events[pair.since :]:
                    yield from self._brought(pair, wait, event)

    def _brought(self, pair: Pair, wait: Wait, event: Event) -> Iterator[Mail]:
        """An event on its way to where it may be meant; whether it is, the execution decides."""
        for one in wait.about["events"]:
            if one.is_of(event.type) and event.id not in pair.shadow.seen:
                item = i.DomainEvent(pair.id, event.id, one.name, {**event.attributes, "data": event.data})
                yield Mail(pair.id, f"hears of event {event.id} as {one.name}", partial(self._hear, event=event, name=one.name), item)

    def _hear(self, pair: Pair, *, event: Event, name: str) -> None:
        pair.shadow.event(event, name, self.now())

    def unclear(self, mail: Mail, pair: Pair) -> bool:
        """Whether mail is an event that several waits would take: which of them does is left open by the language."""
        if not isinstance(mail.item, i.DomainEvent):
            return False
        event = next(one for one in self.events if one.id == mail.item.event_id)
        return len(pair.shadow.meant(event, mail.item.name)) > 1
