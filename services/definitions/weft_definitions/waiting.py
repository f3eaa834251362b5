"""Waiting, outside of any transaction, until those who run a published workflow have stored it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from weft_runtime.context import ServiceContext
from weft_runtime.http import Reply

from weft_definitions import store
from weft_definitions.domain import Workflow
from weft_definitions.schemas import WorkflowView
from weft_definitions.settings import Settings

FIRST_PAUSE_S = 0.005
LONGEST_PAUSE_S = 0.1


async def installed(context: ServiceContext, tenant: str, workflow: Workflow) -> bool:
    """Whether every installer has stored this revision, as soon as all have; False when the longest wait is over before that."""
    settings = context.settings
    if not isinstance(settings, Settings):
        raise TypeError("the definitions service runs with settings of its own")
    end = time.monotonic() + settings.install_wait_s
    pause = FIRST_PAUSE_S
    while True:
        async with context.transaction(tenant) as uow:
            stored = await store.installed(uow, workflow.slug)
        if all(stored.get(service, 0) >= workflow.revision for service in settings.installers):
            return True
        if time.monotonic() + pause > end:
            return False
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_S)


def when_installed(context: ServiceContext, tenant: str, workflow: Workflow, reply: Reply[WorkflowView]) -> Reply[WorkflowView]:
    """The reply, sent once what was published is stored by all who run it, or after the longest wait, and saying which."""

    async def then() -> Reply[WorkflowView]:
        done = await installed(context, tenant, workflow)
        return replace(reply, view=reply.view.model_copy(update={"installed": done}), then=None)

    return replace(reply, then=then)
