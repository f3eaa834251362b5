"""Domain events: which ones a visit of a `state` waits for, and when one that comes is the one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.engine.programs.shadow.expressions import Missing, evaluate
from tests.engine.programs.shadow.frames import Document

DATA = "event.data."


@dataclass(frozen=True)
class Event:
    """Something that happened outside."""

    id: str
    type: str
    data: Mapping[str, Any]

    @property
    def attributes(self) -> dict[str, Any]:
        """What is known of it beside its data."""
        return {"specversion": "1.0", "id": self.id, "source": "/world", "type": self.type}


@dataclass(frozen=True)
class Awaited:
    """An event that is waited for. pattern: its type, or a glob.  member, value: of its data and what that must be, as it was when
    the wait began; None where it is not looked up.  terms: conditions that are read when an event comes.
    """

    name: str
    pattern: str
    member: str | None
    value: Any
    terms: tuple[str, ...]

    def is_of(self, type_: str) -> bool:
        """Whether it may be an event of that type."""
        return fnmatchcase(type_, self.pattern)

    def fits(self, event: Event, names: Mapping[str, Any]) -> bool:
        """Whether it is that event. What cannot be read does not fit."""
        known = {**names, "event": {**event.attributes, "data": event.data}}
        try:
            looked_up = self.member is None or event.data[self.member] == self.value
            return self.is_of(event.type) and looked_up and all(evaluate(term, known) is True for term in self.terms)
        except (Missing, KeyError):
            return False

    @property
    def told(self) -> list[Any]:
        """How it is told to whoever looks out for it."""
        return [self.name, self.pattern, *([] if self.member is None else [f"/{self.member}", json.dumps(self.value)])]


def awaited(node: Document, names: Mapping[str, Any]) -> list[Awaited]:
    """What a visit of a `state` that begins now waits for."""
    return list(_awaited(node, names))


def _awaited(node: Document, names: Mapping[str, Any]) -> Iterator[Awaited]:
    for name, spec in node["with"].get("events", {}).items():
        terms = [term.strip() for term in spec["match"].split("&&")] if "match" in spec else []
        member, value = None, None
        settled = next((term for term in terms if term.startswith(DATA) and " == " in term), None)
        if settled is not None:
            terms.remove(settled)
            left, _, right = settled.partition(" == ")
            member, value = left.removeprefix(DATA), evaluate(right, names)
        yield Awaited(name, spec["event"], member, value, tuple(terms))
