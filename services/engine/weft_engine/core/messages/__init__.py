"""What the mesh is told of an entry. The journal is the outbox: messages are derived from entries, so both are durable at once.

The same entry always gives the same message with the same id, so sending it again after a crash is harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from weft_engine.core import entries as e
from weft_engine.core.claims import NOTHING_READ, Values
from weft_engine.core.entries import Entry
from weft_engine.core.messages import facts, requests
from weft_engine.core.messages.facts import lost, report_again
from weft_engine.core.messages.said import Outgoing, Said, domain_event, encode, pack
from weft_engine.core.state import State

__all__ = ["Outgoing", "lost", "messages", "report_again"]


def messages(
    state: State, entries: Iterable[Entry], position: int, at: datetime, partitions: int, values: Values = NOTHING_READ
) -> list[Outgoing]:
    """What to send of one transition.

    state: after it, or later: only what never changes after the start is read, and the end.  position: of the first entry.
    at: the time of the transition.  partitions: how many the mesh has, which says where executions live and workers answer.
    values: contents of what is kept apart; a message carries them whole.  Raises: Wanted, ContentLost.
    """
    out: list[Outgoing] = []
    encoded = values.encoder() if state.large else encode
    name = state.name
    for place, entry in enumerate(entries, position):
        say = SAYS.get(entry.kind)
        if entry.kind == e.EVENT_PUBLISHED:
            out.append(domain_event(state, entry, at, encoded))
        elif say is not None:
            saying = say(state, entry, place, at)
            out.extend(
                pack(state, said, f"{name}:{place}" if not number else f"{name}:{place}:{number}", name, at, partitions, encoded)
                for number, said in enumerate(saying)
            )
    return out


def _retried(state: State, entry: Entry, position: int, at: datetime) -> list[Said]:
    return [*facts.retried(state, entry, position, at), *requests.listening_again(state, entry, position, at)]


SAYS: Final[dict[str, Callable[[State, Entry, int, datetime], list[Said]]]] = {
    e.QUEUED: facts.queued,
    e.STARTED: facts.started,
    e.WAITING: facts.waiting,
    e.RESUMED: facts.resumed,
    e.PAUSED: facts.paused,
    e.UNPAUSED: facts.unpaused,
    e.RETRY_QUEUED: facts.queued,
    e.RETRY_WITHDRAWN: facts.withdrawn,
    e.RETRIED: _retried,
    e.MIGRATED: facts.sla_set,
    e.MIGRATION_UNDONE: facts.sla_set,
    e.SLA_WARNED: facts.sla_said,
    e.SLA_BREACHED: facts.sla_said,
    e.CHILD_CALLED: requests.called,
    e.COMPLETED: facts.ended,
    e.FAILED: facts.ended,
    e.TIMED_OUT: facts.ended,
    e.CANCELLED: facts.ended,
    e.SKIPPED: facts.refused,
    e.REJECTED: facts.refused,
    e.STEP_SCHEDULED: requests.scheduled,
    e.STEP_ENHANCING: requests.enhancing,
    e.STEP_RESENT: requests.resent,
    e.STEP_WAITING: requests.rests,
    e.STEP_COMPLETED: requests.heard,
    e.STEP_FAILED: requests.taken_back,
    e.STEP_CANCELLED: requests.taken_back,
}
