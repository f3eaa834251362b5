"""Entries: what the journal holds. Each is one thing that happened; together they are history, outputs and outgoing messages."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec

from weft_engine.core.claims import Claim, Claimed

QUEUED: Final = "execution.queued"
STARTED: Final = "execution.started"
WAITING: Final = "execution.waiting"
RESUMED: Final = "execution.resumed"
PAUSED: Final = "execution.paused"
UNPAUSED: Final = "execution.unpaused"
YIELDED: Final = "execution.yielded"
CONTINUED: Final = "execution.continued"
RETRY_QUEUED: Final = "execution.retry_queued"
RETRY_WITHDRAWN: Final = "execution.retry_withdrawn"
RETRIED: Final = "execution.retried"
MIGRATED: Final = "execution.migrated"
MIGRATION_UNDONE: Final = "execution.migration_undone"
COMPENSATING: Final = "execution.compensating"
SLA_WARNED: Final = "execution.sla_warned"
SLA_BREACHED: Final = "execution.sla_breached"
COMPLETED: Final = "execution.completed"
FAILED: Final = "execution.failed"
TIMED_OUT: Final = "execution.timed_out"
CANCELLED: Final = "execution.cancelled"
SKIPPED: Final = "execution.skipped"
REJECTED: Final = "execution.rejected"
STEP_SCHEDULED: Final = "step.scheduled"
STEP_RESENT: Final = "step.resent"
STEP_ACCEPTED: Final = "step.accepted"
STEP_RETRYING: Final = "step.retrying"
STEP_HELD: Final = "step.held"
STEP_WAITING: Final = "step.waiting"
STEP_ENHANCING: Final = "step.enhancing"
STEP_ENHANCED: Final = "step.enhanced"
STEP_COMPLETED: Final = "step.completed"
STEP_FAILED: Final = "step.failed"
STEP_CANCELLED: Final = "step.cancelled"
STEP_COMPENSATED: Final = "step.compensated"
UNDO_RECORDED: Final = "undo.recorded"
VARS_SET: Final = "vars.set"
SCOPE_ENTERED: Final = "scope.entered"
SCOPE_OPENED: Final = "scope.opened"
SCOPE_COMPLETED: Final = "scope.completed"
SCOPE_FAILED: Final = "scope.failed"
SIGNAL_KEPT: Final = "signal.kept"
SIGNAL_DELIVERED: Final = "signal.delivered"
SIGNAL_EXPIRED: Final = "signal.expired"
SIGNAL_REFUSED: Final = "signal.refused"
EVENT_PUBLISHED: Final = "event.published"
CALLED_AGAIN: Final = "execution.called_again"
CHILD_CALLED: Final = "child.called"
ITEM_HELD: Final = "item.held"

REWINDS: Final = frozenset({RETRIED, MIGRATION_UNDONE})
"""Kinds that go back to an earlier position, `data.to`, and on from there."""
SLA_SAID: Final = frozenset({SLA_WARNED, SLA_BREACHED})
"""Kinds that say that time has passed, and decide nothing."""
ENDS: Final = frozenset({COMPLETED, FAILED, TIMED_OUT, CANCELLED})
REPORTED: Final = ENDS | {RETRY_WITHDRAWN}
"""Kinds that tell a caller of an end."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that happened to an execution.

    kind: one of the names above.  node, visit, attempt: which step, where it is about one.  data: what the kind needs, JSON values.
    scope: key of the scope the step stands in, "" for the root.  Its position is that of its row plus its place in the row; its time is
    the row's.  claims: large values that are kept apart; in memory a `Claimed` stands in the place of each, in the journal null.
    """

    kind: str
    node: str | None = None
    visit: int = 0
    attempt: int = 0
    data: dict[str, Any] = {}
    scope: str = ""
    claims: tuple[Claim, ...] = ()


class Row(msgspec.Struct, frozen=True):
    """The entries of one transition. position: of the first, from 0.  at: the time of the transition, UTC."""

    position: int
    at: datetime
    entries: list[Entry]


def _null(value: Any) -> None:
    if type(value) is not Claimed:
        raise TypeError(f"{type(value).__name__} is no JSON value")


_encoder = msgspec.json.Encoder()
_claiming = msgspec.json.Encoder(enc_hook=_null)
_decoder = msgspec.json.Decoder(list[Entry])


def encode(entries: list[Entry]) -> bytes:
    """A transition's entries as the journal stores them: a JSON array. Raises: TypeError when something in them is kept apart."""
    return _encoder.encode(entries)


def encode_claiming(entries: list[Entry]) -> bytes:
    """The same for entries whose `claims` name everything in them that is kept apart."""
    return _claiming.encode(entries)


def decode(body: bytes | str) -> list[Entry]:
    """The entries of one journal row."""
    entries = _decoder.decode(body)
    for entry in entries:
        for claim in entry.claims:
            place: Any = entry.data
            for name in claim.path[:-1]:
                place = place[name]
            place[claim.path[-1]] = claim.claimed
    return entries
