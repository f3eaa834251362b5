"""Points at which a node kills itself, as kill -9 would, or at which a commit succeeds and its answer is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from typing import Any

from weft_engine import worker
from weft_engine.answering import Answering
from weft_engine.hotloop.line import Line
from weft_engine.hotloop.publisher import Publisher
from weft_engine.journal import Batch, Journal
from weft_runtime.bus import OutFrame

_armed = ["", 0]


def arm(point: str, after: int) -> None:
    """Die at this point, once it was passed so often; "" is never."""
    _armed[:] = [point, after]
    if point:
        _instrument()


def passing(point: str) -> None:
    """This point is passed: die here when it is its turn."""
    if _due(point):
        os.kill(os.getpid(), signal.SIGKILL)


def _due(point: str) -> bool:
    if _armed[0] != point:
        return False
    _armed[1] -= 1  # type: ignore[operator]
    return _armed[1] < 0  # type: ignore[operator]


def _instrument() -> None:
    """Put the points around the real steps, which stay what they are."""
    commit, send, acked, answered = Journal.commit, Publisher.send, Line._ack, worker._ack

    async def committing(self: Journal, batch: Batch) -> None:
        if not batch.rows:
            await commit(self, batch)
            return
        passing("before_commit")
        await commit(self, batch)
        passing("after_commit")
        if _due("commit_in_doubt"):
            _armed[0] = ""
            raise ConnectionResetError("the answer to a commit that was done is lost")

    async def sending(self: Publisher, frames: Sequence[OutFrame]) -> None:
        await send(self, frames)
        passing("after_publish")

    async def acking(self: Line, arrivals: list[Any]) -> None:
        if arrivals:
            passing("before_ack")
        await acked(self, arrivals)

    async def acking_answer(answering: Answering) -> None:
        passing("before_answer_ack")
        await answered(answering)

    Journal.commit, Publisher.send, Line._ack = committing, sending, acking  # type: ignore[method-assign]
    worker._ack = acking_answer
