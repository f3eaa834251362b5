"""The gatekeeper: where the number of live executions is bounded, it lets the next ones begin.

Who waits and who lives is rows, written in the commits that queue and end executions; whoever dies, the next look finds the same.
"""

from __future__ import annotations

from typing import Final

import structlog
from weft_runtime.context import ServiceContext
from weft_runtime.errors import WeftError
from weft_runtime.waking import Wake

from weft_engine import usecases

LOOK_EVERY_S: Final = 1.0
"""Between two looks when nobody woke it: what another process queued or ended is seen then."""

log = structlog.get_logger(__name__)


class Gatekeeper(Wake):
    """One per process; PostgreSQL lets one at a time decide for a tenant."""

    async def run(self, context: ServiceContext) -> None:
        """Look whenever called, and now and then, until cancelled."""
        while True:
            await self.wait(LOOK_EVERY_S)
            try:
                await self._look(context)
            except WeftError as error:
                log.warning("gates_unavailable", error=str(error))

    async def _look(self, context: ServiceContext) -> None:
        async with context.owner_transaction() as uow:
            tenants = await usecases.tenants_at_gates(uow)
        for tenant in tenants:
            async with context.owner_transaction(tenant) as uow:
                await usecases.admit_waiting(uow)
