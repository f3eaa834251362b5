"""What executions wait for, and which events that may be. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from weft_contracts.subscriptions import CloseSubscription, EventWaited, OpenSubscription
from weft_contracts.waits import DeliverEvent
from weft_language.compilation import correlate, key_at, pattern_covers
from weft_language.expressions import ExpressionError, compile_expression

from weft_events.domain import Logged, Received, payload_of

LOOK_BACK: Final = 100
"""Events that came before a wait said to it at most, oldest first; those that ended another wait of the execution do not count."""
SCANNED: Final = 10_000
"""Events read at most where a wait looks back to a time before its kind was known."""


class Kind(NamedTuple):
    """A kind of wait. pattern: type of the event or a glob.  path: JSON pointer into its data, "" by type alone."""

    tenant: str
    pattern: str
    path: str


class Mark(NamedTuple):
    """What an event can be looked up by. value: the key of what stands at the path, "" by type alone."""

    kind: Kind
    value: str
    id: UUID


class Visit(NamedTuple):
    """A visit of a node that may wait."""

    tenant: str
    execution_id: UUID
    node: str
    visit: int


class Wait(NamedTuple):
    """One wait of a visit that was opened. since: our id of the first event that may count."""

    visit: Visit
    name: str
    kind: Kind
    value: str
    since: UUID


@dataclass(frozen=True, slots=True)
class Changes:
    """What becomes of what is known of some visits.

    gone: visits whose rows go.  opened: what comes in their place.  missed: positions of ends whose wait is still to be heard of.
    met: visits whose wait was heard of after its end; what that left for it goes.
    taken: (tenant, event, execution) of events that ended a wait.
    """

    gone: list[Visit]
    opened: list[tuple[Visit, OpenSubscription]]
    missed: list[tuple[Visit, int]]
    met: list[Visit]
    taken: list[tuple[str, UUID, UUID]]


Word = OpenSubscription | CloseSubscription


def visit_of(tenant: str, word: Word) -> Visit:
    """The visit a word is about."""
    return Visit(tenant, word.execution_id, word.node, word.visit)


def changes(heard: Sequence[tuple[str, Word]], known: Mapping[Visit, int]) -> Changes:
    """What some words change. heard: with their tenants, in any order.  known: the position of the last word about each visit.

    A word that another overtook changes nothing: the position says which one is the truth.
    """
    newest: dict[Visit, Word] = {}
    begun: set[Visit] = set(known)
    for tenant, word in heard:
        visit = visit_of(tenant, word)
        if isinstance(word, OpenSubscription):
            begun.add(visit)
        if visit not in newest or newest[visit].position < word.position:
            newest[visit] = word
    fresh = {visit: word for visit, word in newest.items() if word.position > known.get(visit, -1)}
    return Changes(
        gone=list(fresh),
        opened=[(visit, word) for visit, word in fresh.items() if isinstance(word, OpenSubscription)],
        missed=[(visit, word.position) for visit, word in fresh.items() if visit not in begun],
        met=[visit for visit, word in newest.items() if visit not in fresh and isinstance(word, OpenSubscription)],
        taken=[
            (tenant, event, word.execution_id)
            for tenant, word in heard
            if isinstance(word, CloseSubscription) and (event := _uuid(word.event_id)) is not None
        ],
    )


def kind_of(tenant: str, wait: EventWaited) -> Kind:
    """The kind of a wait."""
    return Kind(tenant, wait.pattern, wait.path or "")


def waits_of(visit: Visit, word: OpenSubscription) -> list[Wait]:
    """Every wait that a word opens, in listed order."""
    since = first_id(word.since)
    return [Wait(visit, wait.name, kind_of(visit.tenant, wait), wait.value or "", since) for wait in word.waits]


def first_id(at: datetime) -> UUID:
    """The least UUIDv7 of a moment."""
    return UUID(int=(int(at.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62))


def kinds_in(tenant: str, definition: Mapping[str, Any]) -> set[Kind]:
    """The kinds of waits that the states of a definition can have. A match that cannot be compiled is none: it is not published."""
    kinds: set[Kind] = set()
    for state in _states(definition):
        for wait in _map(state.get("events")).values():
            pattern = _map(wait).get("event")
            if isinstance(pattern, str):
                # By type alone too: a value that cannot be told when the wait begins is compared by the engine.
                kinds |= {Kind(tenant, pattern, ""), Kind(tenant, pattern, _path_in(_map(wait).get("match")))}
    return kinds


def _states(document: Any) -> Iterator[Mapping[str, Any]]:
    waiting: list[Any] = [document]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Mapping):
            if part.get("type") == "state":
                yield _map(part.get("with"))
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _path_in(match: Any) -> str:
    try:
        found = correlate(compile_expression(match)) if isinstance(match, str) else None
    except ExpressionError:
        return ""
    return "" if found is None else found.path


def marks(received: Iterable[Received], kinds: Mapping[str, Sequence[Kind]]) -> list[Mark]:
    """What events can be looked up by. kinds: by tenant, those its workflows wait for."""
    found: list[Mark] = []
    for one in received:
        for kind in kinds.get(one.tenant, ()):
            if pattern_covers(kind.pattern, one.event.type):
                value = value_of(payload_of(one.event), kind.path)
                if value is not None:
                    found.append(Mark(kind, value, one.id))
    return found


def value_of(data: Any, path: str) -> str | None:
    """The key of what stands at a path of an event's data, "" by type alone, None where nothing stands there."""
    return key_at(data, path) if path else ""


def said(execution_id: UUID, name: str, event: Received | Logged) -> DeliverEvent:
    """An event, said to an execution that may wait for it."""
    if isinstance(event, Received):
        attributes, data = event.event.attributes(), payload_of(event.event)
    else:
        attributes, data = event.attributes, event.data
    return DeliverEvent(execution_id=execution_id, event_id=str(event.id), name=name, event={**attributes, "data": data})


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
