"""The gatekeeper: where the number of executions that live, or that begin in a second, is bounded, it lets the next ones begin.

Who waits and who lives is rows, written in the commits that queue and end executions; whoever dies, the next look finds the same.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import structlog
from weft_runtime.context import ServiceContext
from weft_runtime.errors import WeftError
from weft_runtime.waking import Wake

from weft_engine import gates

LOOK_EVERY_S: Final = 1.0
"""Between two looks when nobody woke it: what another process queued or ended is seen then."""
LEAST_S: Final = 0.02
"""Between two looks at a tenant whose executions wait for its rate of starts."""
RESTS: Final = 4
"""After a look at everybody it rests so many times as long as that took, so that a long queue costs at most a fifth of a core.

After one that has let somebody in it rests as long as that took: under a small quota a queue moves on by a few with each look.
"""

log = structlog.get_logger(__name__)


class Gatekeeper(Wake):
    """One per process; PostgreSQL lets one at a time decide for a tenant."""

    def __init__(self) -> None:
        super().__init__()
        self._rated: dict[str, float] = {}
        """When to look again at tenants whose rate of starts lets the next ones begin then."""
        self._looked_at = self._rest_until = self._tidied_at = -LOOK_EVERY_S

    async def run(self, context: ServiceContext) -> None:
        """Look whenever called, when a rate of starts lets the next ones begin, and now and then, until cancelled."""
        while True:
            next_at = min([self._looked_at + LOOK_EVERY_S, *self._rated.values()])
            called = await self.wait(max(LEAST_S, next_at - time.monotonic()))
            if called:
                await asyncio.sleep(max(0.0, self._rest_until - time.monotonic()))
            try:
                if called or time.monotonic() - self._looked_at >= LOOK_EVERY_S:
                    await self._look_at_all(context)
                else:
                    now = time.monotonic()
                    await self._look_at(context, [tenant for tenant, at in self._rated.items() if at <= now])
            except WeftError as error:
                log.warning("gates_unavailable", error=str(error))
                self._rated.clear()

    async def _look_at_all(self, context: ServiceContext) -> None:
        began = self._looked_at = time.monotonic()
        tidy = began - self._tidied_at >= LOOK_EVERY_S
        async with context.owner_transaction() as uow:
            tenants = await gates.tenants_at_gates(uow, tidy=tidy)
        if tidy:
            self._tidied_at = began
        self._rated = {tenant: at for tenant, at in self._rated.items() if tenant in tenants}
        let_in = await self._look_at(context, [tenant for tenant in tenants if self._rated.get(tenant, began) <= began])
        ended = time.monotonic()
        self._rest_until = ended + min(LOOK_EVERY_S, (1 if let_in else RESTS) * (ended - began))

    async def _look_at(self, context: ServiceContext, tenants: Sequence[str]) -> int:
        let_in = 0
        for tenant in tenants:
            async with context.owner_transaction(tenant) as uow:
                look = await gates.admit_waiting(uow)
            let_in += look.let_in
            self._rated.pop(tenant, None)
            if look.next_s is not None:
                self._rated[tenant] = time.monotonic() + min(LOOK_EVERY_S, max(LEAST_S, look.next_s))
        return let_in
