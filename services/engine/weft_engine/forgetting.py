"""Forgetting executions that were kept as long as their workflow or tenant asks for, with everything the mesh has of them."""

from __future__ import annotations

from typing import Final

from weft_contracts.executions import ExecutionsForgotten
from weft_runtime.context import ServiceContext

from weft_engine.store import forgetting as store

AT_ONCE: Final = 500
"""Executions forgotten in one transaction, and told of in one message."""


async def forget_executions(context: ServiceContext) -> None:
    """Forget all that may be, of every tenant, some at a time. Raises: Unavailable.

    Deleting and telling the other services is one transaction: what dies between two leaves nothing half forgotten.
    """
    while await _forget_some(context):
        pass


async def _forget_some(context: ServiceContext) -> bool:
    async with context.owner_transaction() as uow:
        tenant = await store.whose(uow, uow.now)
        if tenant is None:
            return False
        uow.tenant = tenant
        gone = await store.forget(uow, uow.now, AT_ONCE)
        if gone:
            uow.say(ExecutionsForgotten(execution_ids=tuple(gone)))
        return bool(gone)
