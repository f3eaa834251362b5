"""Schedules as tests make and watch them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from weft_contracts.definitions import WorkflowChanged
from weft_contracts.executions import StartExecution
from weft_events import app, firing
from weft_events.settings import Settings
from weft_runtime.service import Service
from weft_runtime.testing import RunningService, running_service, said, tell

from tests.services.events.conftest import workflow

NINE = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""What the clock of a service shows first."""
MINUTE = timedelta(minutes=1)


def without_loop(settings: Settings) -> Service:
    """The service, whose schedules fire when a test says so."""
    return replace(app.build(settings), background=())


@asynccontextmanager
async def quiet_service(database_url: str) -> AsyncIterator[RunningService]:
    """It, running."""
    async with running_service(without_loop, database_url, name="events") as running:
        yield running


def scheduled(slug: str = "flow", revision: int = 1, version: int = 1, status: str = "active", **trigger: Any) -> WorkflowChanged:
    """A workflow with one schedule. trigger: its fields, every minute unless `cron` is among them."""
    every = {} if "cron" in trigger else {"every": "1m"}
    written = {"id": "tick", "on": "schedule", **every, **trigger}
    return workflow(written, slug=slug, revision=revision, version=version, status=status)


async def published(service: RunningService, tenant: str, slug: str = "flow", **trigger: Any) -> None:
    """Let there be such a workflow."""
    await tell(service, scheduled(slug, **trigger), tenant=tenant)


async def advanced(service: RunningService, by: timedelta) -> None:
    """Let time pass, and everything that is due be fired."""
    service.clock.advance(by)
    await fired(service)


async def fired(service: RunningService) -> None:
    """Let everything that is due be fired."""
    while await firing.look(service.context) == 0:
        pass


def starts(service: RunningService, tenant: str) -> list[StartExecution]:
    """What was asked for, in order."""
    return said(service, StartExecution, tenant=tenant)


def minutes(service: RunningService, tenant: str, since: datetime) -> list[float]:
    """The due times of what was asked for, in minutes since a time."""
    return [(one.trigger.time - since) / MINUTE for one in starts(service, tenant) if one.trigger.time is not None]
