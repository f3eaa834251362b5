"""Looking ahead, and at tenants beside each other: the questions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from weft_runtime.uow import UnitOfWork

from weft_analytics.forecast import Forecast, forecast
from weft_analytics.rollups import HOUR
from weft_analytics.store import comparing as store
from weft_analytics.usecases.known import require_workflow

LOOKED_BACK: Final = 8 * 7 * 24
"""Hours of history at most: eight weeks."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is expected. begins: of the first hour to come, in which we are.  history: hours that it follows from, since the first start."""

    workflow: str | None
    begins: datetime
    history: int
    found: Forecast


async def ahead(workflow: str | None, hours: int, uow: UnitOfWork) -> Ahead:
    """How many executions will start. Raises: WorkflowUnknown."""
    if workflow is not None:
        await require_workflow(workflow, uow)
    now = int(uow.now.timestamp())
    end = now - now % HOUR
    counts = await store.starts(uow, workflow, end - LOOKED_BACK * HOUR, end)
    history = [counts.get(at, 0) for at in range(min(counts, default=end), end, HOUR)]
    return Ahead(workflow, datetime.fromtimestamp(end, UTC), len(history), forecast(history, hours))
