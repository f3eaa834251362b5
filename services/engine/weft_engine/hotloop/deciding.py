"""One turn of a lane, in memory: each item is applied to its execution, and what changed is gathered for the commit. No IO."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from weft_language.compilation import Program

from weft_engine.core import entries as e
from weft_engine.core import items as words
from weft_engine.core.apply import Transition, apply
from weft_engine.core.entries import Entry
from weft_engine.core.evolve import blank, evolve
from weft_engine.core.messages import Outgoing, messages
from weft_engine.core.signals import Answer
from weft_engine.core.state import State
from weft_engine.core.turn import Context, failure
from weft_engine.hotloop.arrivals import Piece, Unusable
from weft_engine.hotloop.owned import Held, Owned
from weft_engine.journal import AnswerRow, Batch, HeadRow, JournalRow, KeyRow

_json = msgspec.json.Encoder()


@dataclass(slots=True)
class Turnout:
    """What a turn came to.

    partitions: how many the mesh has.  held: the new states, to be put in place once the batch is durable.
    seqs: the last of each partition.  undecided: to be held and tried again.  parked: to be set aside.
    """

    partitions: int
    batch: Batch = field(default_factory=Batch)
    held: dict[UUID, tuple[Owned, Held]] = field(default_factory=dict)
    outgoing: list[Outgoing] = field(default_factory=list)
    seqs: dict[int, int] = field(default_factory=dict)
    undecided: list[Piece] = field(default_factory=list)
    parked: list[Unusable] = field(default_factory=list)
    _headed: dict[UUID, int] = field(default_factory=dict)

    def decide(self, piece: Piece, held: Held | None, program: Program, context: Context, now: datetime) -> None:
        """Apply an item. held: the execution's state before, None before its start."""
        before = self.current(piece, held) or Held(_unborn(piece, program))
        self._take(piece, before, apply(before.state, piece.happening, now, program, context), now)

    def refuse(self, piece: Piece, kind: str, data: Mapping[str, Any], now: datetime) -> None:
        """End an execution that never began: its key is taken, or its workflow is not there."""
        start = piece.happening
        if not isinstance(start, words.Start) or self.current(piece, None) is not None:
            return
        state = State(id=start.execution_id, tenant=piece.tenant, workflow=start.workflow, version=start.workflow_version or 0)
        born = {"tenant": piece.tenant, "workflow": start.workflow, "version": state.version, "trigger": start.trigger}
        if start.caller is not None:
            born["caller"] = msgspec.to_builtins(start.caller)
        entry = Entry(kind, data={**born, **data})
        evolve(state, entry, now)
        self._take(piece, Held(blank(start.execution_id, entry)), Transition(state, [entry]), now)

    def answer(self, piece: Piece, answer: Answer | None) -> None:
        """Tell who asked, when somebody did."""
        answer_id = getattr(piece.happening, "answer_id", None)
        if answer is None or answer_id is None:
            return
        body = {"code": answer.code, "detail": answer.detail, "body": dict(answer.body)}
        self.batch.answers.append(AnswerRow(answer_id, piece.tenant, answer.status, _json.encode(body).decode()))

    def join(self, later: Turnout) -> Turnout:
        """Both, for who settles the items: two parts of one turn that were committed apart."""
        self.undecided.extend(later.undecided)
        self.parked.extend(later.parked)
        return self

    def park(self, piece: Piece, code: str, reason: str) -> None:
        """Set an item aside, with the reason; the owner's own ticks simply come again."""
        if piece.item is not None:
            self.parked.append(Unusable(piece.owned, piece.item, code, reason))

    def current(self, piece: Piece, held: Held | None) -> Held | None:
        """The execution's state in this turn so far; `held` is that before the turn."""
        newer = self.held.get(piece.execution_id)
        return newer[1] if newer is not None else held

    def _take(self, piece: Piece, before: Held, transition: Transition, now: datetime) -> None:
        self.answer(piece, transition.answer)
        owned, state = piece.owned, transition.state
        if not transition.entries:
            if isinstance(piece.happening, words.Tick):
                # Nothing was due: PostgreSQL held an earlier moment than the true one, and is told the true one.
                self.held[state.id] = (owned, self._stored(owned.partition, before, state, now))
            return
        seq = self.seqs.get(owned.partition, owned.seq) + 1
        self.seqs[owned.partition] = seq
        position = state.position - len(transition.entries)
        body = e.encode(transition.entries).decode()
        self.batch.rows.append(JournalRow(owned.partition, seq, state.id, state.tenant, position, now, body))
        self.outgoing.extend(messages(state, transition.entries, position, now, self.partitions))
        self.held[state.id] = (owned, self._stored(owned.partition, before, state, now))
        if state.ended and state.key is not None:
            self.batch.freed.append(KeyRow(state.tenant, state.workflow, state.key, state.id))

    def _stored(self, partition: int, before: Held, state: State, now: datetime) -> Held:
        """The state beside what PostgreSQL will have of it. The head is written only when it says something new."""
        wake_at = state.wake_at
        known = before.wake_at
        early = known is not None and known > now and (wake_at is None or known <= wake_at) and not state.ended
        if before.status == state.status and (early or known == wake_at):
            return Held(state, before.status, known)
        head = HeadRow(state.id, state.tenant, state.workflow, state.version, partition, state.status, wake_at, state.completed_at)
        # One statement may not touch a row twice: a later head of the same execution takes the place of the earlier.
        place = self._headed.setdefault(state.id, len(self.batch.heads))
        self.batch.heads[place : place + 1] = [head]
        return Held(state, state.status, wake_at)


def _unborn(piece: Piece, program: Program) -> State:
    state = State(id=piece.execution_id, tenant=piece.tenant, workflow=program.slug, version=program.version)
    state.traceparent = piece.item.traceparent if piece.item is not None else None
    return state


def not_started(workflow: str, code: str, message: str) -> dict[str, Any]:
    """Why a start was refused, as the entry holds it."""
    return {"error": failure(code, message, None, permanent=True, details={"workflow": workflow})}
