"""Points at which a node kills itself, as kill -9 would, or at which a commit succeeds and its answer is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from weft_engine import answering as answers
from weft_engine.answering import Answering
from weft_engine.hotloop.line import Line
from weft_engine.hotloop.publisher import Commit, Publisher
from weft_engine.journal import Batch, Journal
from weft_engine.ownership import Ownership

from tests.faults import dying
from tests.faults.dying import due, passing


def arm(point: str, after: int) -> None:
    """Die at this point, once it was passed so often; "" is never."""
    dying.arm(point, after)
    if point:
        _instrument()


def _instrument() -> None:
    """Put the points around the real steps, which stay what they are."""
    _instrument_commits()
    _instrument_claims()
    _instrument_line()
    answered = answers._ack

    async def acking_answer(answering: Answering) -> None:
        passing("before_answer_ack")
        await answered(answering)

    answers._ack = acking_answer


def _instrument_commits() -> None:
    commit, landed = Journal.commit, Publisher._landed

    async def committing(self: Journal, batch: Batch) -> None:
        if not batch.rows:
            await commit(self, batch)
            return
        passing("before_commit")
        await commit(self, batch)
        passing("after_commit")
        if due("commit_in_doubt"):
            raise ConnectionResetError("the answer to a commit that was done is lost")

    def landing(self: Publisher, commits: Sequence[Commit], said: Callable[[Sequence[Commit]], None]) -> None:
        passing("after_publish")
        landed(self, commits, said)

    Journal.commit, Publisher._landed = committing, landing  # type: ignore[method-assign]


def _instrument_claims() -> None:
    take = Ownership.take

    async def taking(self: Ownership, partition: int, living: Sequence[UUID]) -> tuple[int, int] | None:
        taken = await take(self, partition, living)
        if taken is not None:
            passing("after_claim")
        return taken

    Ownership.take = taking  # type: ignore[method-assign]


def _instrument_line() -> None:
    parked, acked = Line._park, Line._ack

    async def parking(self: Line, unusable: list[Any]) -> None:
        if unusable:
            passing("before_parking")
        await parked(self, unusable)
        if unusable:
            passing("after_parking")

    async def acking(self: Line, arrivals: list[Any]) -> None:
        if arrivals:
            passing("before_ack")
        await acked(self, arrivals)

    Line._park, Line._ack = parking, acking  # type: ignore[method-assign]
