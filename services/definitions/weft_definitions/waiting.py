"""Waiting, outside of any transaction, until those who run a published workflow have stored it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from weft_runtime.context import ServiceContext
from weft_runtime.http import Reply

from weft_definitions import store
from weft_definitions.domain import Workflow
from weft_definitions.rules.schemas import RuleView
from weft_definitions.schemas import WorkflowView
from weft_definitions.settings import Settings

FIRST_PAUSE_S = 0.005
LONGEST_PAUSE_S = 0.1

ViewT = TypeVar("ViewT", WorkflowView, RuleView)
"""What is shown of a publish; `installed` tells whether all have it."""
DRAFTS = "engine.drafts"
"""Who tells that the engine has stored a draft."""


async def installed(context: ServiceContext, tenant: str, workflow: Workflow) -> bool:
    """Whether every installer has stored this revision, as soon as all have; False when the longest wait is over before that."""
    return await _stored(context, tenant, workflow.slug, dict.fromkeys(_settings(context).installers, workflow.revision))


async def _stored(context: ServiceContext, tenant: str, slug: str, wanted: Mapping[str, int]) -> bool:
    settings = _settings(context)
    end = time.monotonic() + settings.install_wait_s
    pause = FIRST_PAUSE_S
    while True:
        async with context.transaction(tenant) as uow:
            stored = await store.installed(uow, slug)
        if all(stored.get(service, 0) >= revision for service, revision in wanted.items()):
            return True
        if time.monotonic() + pause > end:
            return False
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_S)


def _settings(context: ServiceContext) -> Settings:
    if not isinstance(context.settings, Settings):
        raise TypeError("the definitions service runs with settings of its own")
    return context.settings


def when_drafted(context: ServiceContext, tenant: str, workflow: Workflow, reply: Reply[WorkflowView]) -> Reply[WorkflowView]:
    """The reply, sent once the engine has the draft, so that whoever simulates it next does not meet the one before."""
    if "engine" not in _settings(context).installers:
        return reply

    async def then() -> Reply[WorkflowView]:
        await _stored(context, tenant, workflow.slug, {DRAFTS: workflow.edit})
        return replace(reply, then=None)

    return replace(reply, then=then)


def when_installed(context: ServiceContext, tenant: str, workflow: Workflow, reply: Reply[ViewT]) -> Reply[ViewT]:
    """The reply, sent once what was published is stored by all who run it, or after the longest wait, and saying which."""

    async def then() -> Reply[ViewT]:
        done = await installed(context, tenant, workflow)
        return replace(reply, view=reply.view.model_copy(update={"installed": done}), then=None)

    return replace(reply, then=then)
