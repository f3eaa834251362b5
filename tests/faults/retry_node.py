"""An engine that dies where a retry is on its way: over the commit that writes an entry of one kind for one execution, or letting it in.

FAULT_AT: `before_commit`, `after_commit` or `let_in`.  FAULT_KIND, FAULT_OF: the entry, and whose.  FAULT_READY: as of `tests.faults.node`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from uuid import UUID

import uvloop
from weft.rooms import room
from weft_engine import store
from weft_engine.journal import Batch, Journal
from weft_runtime.service import run
from weft_runtime.uow import UnitOfWork

from tests.faults import dying
from tests.faults.dying import passing
from tests.faults.node import ready
from weft import services


def _instrument(kind: str, of: UUID) -> None:
    """Put the points around the real steps, which stay what they are."""
    commit, let_in = Journal.commit, store.let_in

    async def committing(self: Journal, batch: Batch) -> None:
        hit = any(row.execution_id == of and f'"{kind}"' in row.entries for row in batch.rows)
        if hit:
            passing("before_commit")
        await commit(self, batch)
        if hit:
            passing("after_commit")

    async def letting_in(uow: UnitOfWork, execution_ids: Sequence[UUID], *, at: Sequence[str] | None = None) -> None:
        await let_in(uow, execution_ids, at=at)
        if of in execution_ids:
            passing("let_in")

    Journal.commit, store.let_in = committing, letting_in  # type: ignore[method-assign]


def main(kind: str) -> None:
    """Be a process of this kind, `engine`, until it is ended."""
    if point := os.environ.get("FAULT_AT"):
        _instrument(os.environ["FAULT_KIND"], UUID(os.environ["FAULT_OF"]))
        dying.arm(point, 0)
    engine = services.build(room(kind), services.settings(room(kind)))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run([engine], started=ready))
