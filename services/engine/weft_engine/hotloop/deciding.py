"""One turn of a lane, in memory: each item is applied to its execution, and what changed is gathered for the commit. No IO."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import msgspec
from weft_contracts import routing
from weft_contracts.envelope import Item, schema_of
from weft_language.compilation import Program

from weft_engine.core import entries as e
from weft_engine.core import items as words
from weft_engine.core.apply import advance
from weft_engine.core.claiming import claim
from weft_engine.core.claims import INLINE_BYTES, Claimed, Values, Wanted
from weft_engine.core.context import Context
from weft_engine.core.entries import Entry, Row
from weft_engine.core.evolve import blank, evolve, fold
from weft_engine.core.failures import failure
from weft_engine.core.messages import Outgoing, messages
from weft_engine.core.messages.said import SOURCE, partition_queue
from weft_engine.core.migrating import Moved
from weft_engine.core.queued import withdrawn_answer
from weft_engine.core.retention import kept_days, kept_until
from weft_engine.core.rewinding import Retried
from weft_engine.core.signals import Answer
from weft_engine.core.starting import refused
from weft_engine.core.state import State
from weft_engine.hotloop.arrivals import Piece, Unusable
from weft_engine.hotloop.owned import Held, Owned
from weft_engine.journal import AdmissionRow, AnswerRow, Batch, HeadRow, JournalRow, KeyRow, LeavingRow, UseRow, WordRow

_json = msgspec.json.Encoder()


@dataclass(slots=True)
class Touched:
    """An execution in a turn. before: what PostgreSQL has of it.  position: before the turn.  entries: of the turn so far.

    unlike: whether `before.state` is not the one that the entries lead on from any more.  said: its messages, where they are known already.
    kept_days: how long it is kept after its end, None for ever.
    """

    owned: Owned
    before: Held
    state: State
    position: int
    entries: list[Entry] = field(default_factory=list)
    unlike: bool = False
    said: list[Outgoing] | None = None
    kept_days: int | None = None


@dataclass(slots=True)
class Turnout:
    """What a turn came to. What several items do to one execution becomes one row of the journal.

    partitions: how many the mesh has.  held: the new states, to be put in place once the batch is durable.
    seqs: the last of each partition.  undecided: to be held and tried again.  parked: to be set aside.  answered: requests that are.
    contents: large values that the batch has yet to hold, JSON by tenant and id.
    shown: executions that PostgreSQL has a head of, begun or not.  unreadable: those whose journal tells no state.
    """

    partitions: int
    batch: Batch = field(default_factory=Batch)
    held: list[tuple[Owned, Held]] = field(default_factory=list)
    outgoing: list[Outgoing] = field(default_factory=list)
    seqs: dict[int, int] = field(default_factory=dict)
    undecided: list[Piece] = field(default_factory=list)
    parked: list[Unusable] = field(default_factory=list)
    contents: dict[tuple[str, str], bytes] = field(default_factory=dict)
    shown: set[UUID] = field(default_factory=set)
    unreadable: set[UUID] = field(default_factory=set)
    answered: set[UUID] = field(default_factory=set)
    _touched: dict[UUID, Touched] = field(default_factory=dict)

    def decide(self, piece: Piece, held: Held | None, program: Program, context: Context, now: datetime) -> Claimed | None:
        """Apply an item, in place. held: the execution before the turn, None before its start.

        Where this raises, the state is spoilt: `restore` puts a sound one in its place.
        Returns: a large value that is needed and that `context` does not have, else None. Where one may be, a copy is changed instead, so
        nothing has happened then.
        """
        touched = self._touch(piece, held or Held(_unborn(piece, program)))
        state = touched.state.draft() if piece.large or touched.state.large else touched.state
        touched.unlike = touched.unlike or state is touched.before.state
        begun = state.begun
        try:
            transition = advance(state, piece.happening, now, program, context)
        except Wanted as wanted:
            return wanted.claimed
        touched.state = state
        if state.ended:
            touched.kept_days = kept_days(context.tenant, program.settings.retention_days)
        touched.entries.extend(transition.entries)
        self.answer(piece, transition.answer)
        self.answer(piece, withdrawn_answer(begun, transition.entries))
        return None

    def retry(self, piece: Piece, held: Held, retried: Retried, kept: int | None) -> None:
        """Put the state that a retry gave in the place of the one that had ended. kept: days that it is kept after its next end."""
        self.answer(piece, retried.answer)
        if retried.state is not None:
            touched = self._touch(piece, held)
            touched.state, touched.unlike, touched.kept_days = retried.state, True, kept
            touched.entries.extend(retried.entries)

    def free_key(self, state: State) -> None:
        """Give back the key of an execution that has ended: a retry may have taken it before the process died that now refuses it."""
        if state.key is not None:
            self.batch.freed.append(KeyRow(state.tenant, state.workflow, state.key, state.id))

    def migrate(self, piece: Piece, held: Held, moved: Moved) -> None:
        """Put the state that a migration or its undoing gave in the place of the one before."""
        self.answer(piece, moved.answer)
        if moved.state is not None:
            touched = self._touch(piece, held)
            touched.state, touched.unlike = moved.state, True
            touched.entries.extend(moved.entries)

    def refuse(self, piece: Piece, kind: str, data: Mapping[str, Any], now: datetime, kept: int | None) -> None:
        """End an execution that never began: its key is taken, or its workflow is not there. kept: days that it is kept, None for ever."""
        start = piece.happening
        if not isinstance(start, words.Start) or self.current(piece, None) is not None:
            return
        entry = refused(start, piece.tenant, kind, data)
        touched = self._touch(piece, Held(blank(start.execution_id, entry)))
        touched.unlike, touched.kept_days = True, kept
        evolve(touched.state, entry, now)
        touched.entries.append(entry)

    def start_anew(self, piece: Piece, signal: words.Signal) -> None:
        """Let an event that was brought to an execution which has ended start another. It goes by the outbox: no entry tells of it."""
        if signal.otherwise is None:
            return
        id_ = uuid5(signal.otherwise.execution_id, str(signal.execution_id))
        start = msgspec.structs.replace(signal.otherwise, execution_id=id_)
        item = Item(
            id=f"{id_}:start",
            source=SOURCE,
            type="execution.start",
            subject=str(id_),
            tenantid=piece.tenant,
            traceparent=piece.item.traceparent if piece.item is not None else None,
            dataschema=schema_of("execution.start", 1),
            data=msgspec.Raw(_json.encode(start)),
        )
        self.batch.words.append(WordRow(id_, routing.COMMANDS, partition_queue(id_, self.partitions), _json.encode(item)))

    def answer(self, piece: Piece, answer: Answer | None) -> None:
        """Tell who asked, when somebody did."""
        if answer is None:
            return
        answer_id = answer.to or getattr(piece.happening, "answer_id", None)
        if answer_id is not None:
            body = {"code": answer.code, "detail": answer.detail, "body": dict(answer.body)}
            self.answered.add(answer_id)
            self.batch.answers.append(AnswerRow(answer_id, piece.tenant, answer.status, _json.encode(body).decode()))

    def join(self, later: Turnout) -> Turnout:
        """Both, for who settles the items: two parts of one turn that were committed apart."""
        self.undecided.extend(later.undecided)
        self.parked.extend(later.parked)
        return self

    def counts(self, pieces: Sequence[Piece]) -> bool:
        """Whether the turn over these is to be committed.

        An item that changes nothing is acked too, so it must be the owner who says so: a zombie's memory is of another time.
        """
        waiting = {id(piece) for piece in self.undecided}
        heard = any(piece.item is not None and id(piece) not in waiting for piece in pieces)
        return heard or bool(self.batch.rows or self.batch.heads or self.batch.born or self.batch.answers)

    def park(self, piece: Piece, code: str, reason: str) -> None:
        """Set an item aside, with the reason; the owner's own ticks simply come again."""
        if piece.item is not None:
            self.parked.append(Unusable(piece.owned, piece.item, code, reason))

    def current(self, piece: Piece, held: Held | None) -> State | None:
        """The execution's state in this turn so far; `held` is that before the turn."""
        touched = self._touched.get(piece.execution_id)
        if touched is not None:
            return touched.state
        return None if held is None else held.state

    def written(self, piece: Piece, now: datetime) -> list[Row]:
        """What this turn has written of an execution so far."""
        touched = self._touched.get(piece.execution_id)
        return [Row(touched.position, now, touched.entries)] if touched is not None and touched.entries else []

    def restore(self, piece: Piece, rows: list[Row], now: datetime) -> None:
        """Put the state before a failed item in the place of the spoilt one. rows: the execution's journal."""
        state = fold(piece.execution_id, [*rows, *self.written(piece, now)])
        touched = self._touched.pop(piece.execution_id)
        if state is not None:
            touched.state, touched.unlike = state, True
            self._touched[piece.execution_id] = touched

    def large(self) -> list[Touched]:
        """Executions of the turn whose messages may need values that are kept apart."""
        return [touched for touched in self._touched.values() if touched.state.large and touched.entries]

    def messages(self, touched: Touched, now: datetime, values: Values) -> list[Outgoing]:
        """What is said of an execution. Raises: Wanted, ContentLost."""
        return messages(touched.state, touched.entries, touched.position, now, self.partitions, values)

    def close(self, now: datetime, values: Values) -> None:
        """Gather what every execution came to, for the commit and for the mesh. values: contents of what is kept apart."""
        for touched in self._touched.values():
            owned, state = touched.owned, touched.state
            if not touched.entries:
                self.held.append((owned, self._stored(touched, state, now)))
                continue
            body, keep = "" if state.large else e.encode(touched.entries).decode(), True
            self.outgoing.extend(self.messages(touched, now, values) if touched.said is None else touched.said)
            if state.large or len(body) > INLINE_BYTES:
                body, keep = self._claim(touched, now)
                state = touched.state
            held = self._stored(touched, state, now)
            held.keep = keep
            self.held.append((owned, held))
            seq = self.seqs.get(owned.partition, owned.seq) + 1
            self.seqs[owned.partition] = seq
            self.batch.rows.append(JournalRow(owned.partition, seq, state.id, state.tenant, touched.position, now, body))
            if state.ended and state.key is not None:
                self.batch.freed.append(KeyRow(state.tenant, state.workflow, state.key, state.id))
            if state.gates:
                self._at_gates(touched, now)

    def _claim(self, touched: Touched, now: datetime) -> tuple[str, bool]:
        """Take large values out of what an execution came to. Returns: its row, and whether the state in memory may be kept.

        It may where it holds none of them whole: the state before, led on by the entries as they are written, is that state.
        """
        kept = claim(touched.entries)
        if kept.contents:
            tenant = touched.state.tenant
            self.contents |= {(tenant, id_): content for id_, content in kept.contents.items()}
            self.batch.uses.extend(UseRow(tenant, id_, touched.state.id) for id_ in kept.contents)
            if not touched.unlike:
                touched.state = touched.before.state.draft()
                for entry in kept.entries:
                    evolve(touched.state, entry, now)
        return e.encode_claiming(kept.entries).decode(), not (kept.contents and touched.unlike)

    def _at_gates(self, touched: Touched, now: datetime) -> None:
        state = touched.state
        if state.ended:
            self.batch.leaving.append(LeavingRow(state.id))
            return
        gates = list(state.begun["gates"]) if state.begun is not None else []
        held_up = sorted({pending.gate for pending in state.pending.values() if pending.gate is not None})
        gates += [{"name": gate, "limit": 0, "on_conflict": "queue"} for gate in held_up]
        rows = (AdmissionRow(state.tenant, state.id, one["name"], one["limit"], one["on_conflict"], now, state.priority) for one in gates)
        self.batch.entering.extend(rows)

    def _touch(self, piece: Piece, before: Held) -> Touched:
        touched = self._touched.get(piece.execution_id)
        if touched is None:
            touched = self._touched[piece.execution_id] = Touched(piece.owned, before, before.state, before.state.position)
        return touched

    def _stored(self, touched: Touched, state: State, now: datetime) -> Held:
        """The state beside what PostgreSQL will have of it. The head is written only when it says something new.

        An earlier moment than the true one is left to stand until it has come: looking in vain is cheaper than writing.
        """
        before, wake_at = touched.before, state.wake_at
        known = before.wake_at
        early = known is not None and known > now and (wake_at is None or known <= wake_at) and not state.ended
        ends_now = state.ended and bool(touched.entries)  # perhaps once more, as it did before a retry
        if not ends_now and (before.status, before.state.version) == (state.status, state.version) and (early or known == wake_at):
            return Held(state, before.status, known)
        labels = _json.encode(state.labels).decode() if state.labels and not before.status else None
        # From its newest end on: a retry that is given up leaves the moment at which it had ended before.
        ends = (state.completed_at, kept_until(now if state.ended else None, touched.kept_days))
        about = (state.id, state.tenant, state.workflow, state.version, touched.owned.partition)
        head = HeadRow(*about, state.status, wake_at, *ends, state.key, labels)
        (self.batch.heads if before.status or state.id in self.shown else self.batch.born).append(head)
        return Held(state, state.status, wake_at)


def _unborn(piece: Piece, program: Program) -> State:
    state = State(id=piece.execution_id, tenant=piece.tenant, workflow=program.slug, version=program.version)
    state.traceparent = piece.item.traceparent if piece.item is not None else None
    return state


def not_started(workflow: str, code: str, message: str) -> dict[str, Any]:
    """Why a start was refused, as the entry holds it."""
    return {"error": failure(code, message, None, permanent=True, details={"workflow": workflow})}
