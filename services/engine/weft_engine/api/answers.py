"""How a route waits for what a partition does with a command."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar
from uuid import UUID

from weft_runtime.context import ServiceContext

from weft_engine import domain, usecases

ANSWER_S: Final = 10.0
"""How long a route waits for a partition's answer; then it says that the request stands."""
FIRST_LOOK_S: Final = 0.004
LAST_LOOK_S: Final = 0.1

FoundT = TypeVar("FoundT")


async def answered(context: ServiceContext, tenant: str, answer_id: UUID) -> dict[str, Any] | None:
    """What the partition answered; None when it has not within `ANSWER_S`: the request stands all the same. Raises: Refused."""

    async def look() -> tuple[int, dict[str, Any]] | None:
        async with context.transaction(tenant) as uow:
            return await usecases.read_answer(answer_id, uow)

    found = await poll(ANSWER_S, look)
    if found is None:
        return None
    refusal = domain.refusal(*found)
    if refusal is not None:
        raise refusal
    return found[1]


async def poll(wait_s: float, look: Callable[[], Awaitable[FoundT | None]]) -> FoundT | None:
    """What `look` finds within that time, None when it finds nothing. It looks ever more seldom."""
    loop = asyncio.get_running_loop()
    until, pause_s = loop.time() + wait_s, FIRST_LOOK_S
    while (found := await look()) is None and loop.time() < until:
        await asyncio.sleep(min(pause_s, max(0.0, until - loop.time())))
        pause_s = min(pause_s * 1.5, LAST_LOOK_S)
    return found
