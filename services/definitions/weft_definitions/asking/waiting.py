"""Waiting, outside of any transaction, until a question is answered."""

from __future__ import annotations

import asyncio
import time
from uuid import UUID

from weft_runtime.context import ServiceContext

from weft_definitions.asking.question import Question
from weft_definitions.store import questions
from weft_definitions.waiting import FIRST_PAUSE_S, LONGEST_PAUSE_S


async def answered(context: ServiceContext, tenant: str, id_: UUID, wait_s: float) -> Question | None:
    """The question, as soon as it is answered; None when the longest wait is over before that."""
    end = time.monotonic() + wait_s
    pause = FIRST_PAUSE_S
    while True:
        async with context.transaction(tenant) as uow:
            found = await questions.get(uow, id_)
        if found is not None and found.answered_at is not None:
            return found
        if time.monotonic() + pause > end:
            return None
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_S)
