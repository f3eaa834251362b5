"""What events hears: workflows, tenants and connections to match with, what became of starts, and domain events."""

from __future__ import annotations

from collections.abc import Sequence

from weft_contracts.calendars import CalendarChanged
from weft_contracts.connections import ConnectionRemoved, ConnectionResumed, ConnectionSaved, ConnectionSuspended
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.directory import TenantChanged
from weft_contracts.executions import ExecutionSkipped, StartRejected
from weft_contracts.questions import BacktestTriggers
from weft_contracts.subscriptions import CloseSubscription, OpenSubscription
from weft_runtime.pipeline import Handlers, Heard, RawEvent
from weft_runtime.uow import UnitOfWork

from weft_events import reading, usecases
from weft_events.registry import REGISTRY

on = Handlers("events")


@on(WorkflowChanged)
async def workflow_changed(msg: WorkflowChanged, uow: UnitOfWork) -> None:
    """A workflow was published or its life went on."""
    await usecases.install_workflow(msg, uow)


@on(TenantChanged)
async def tenant_changed(msg: TenantChanged, uow: UnitOfWork) -> None:
    """A tenant was made or changed."""
    await usecases.remember_tenant(msg, uow)


@on(CalendarChanged)
async def calendar_changed(msg: CalendarChanged, uow: UnitOfWork) -> None:
    """A business calendar was made or changed."""
    await usecases.remember_calendar(msg, uow)


@on(BacktestTriggers)
async def backtest_triggers(msg: BacktestTriggers, uow: UnitOfWork) -> None:
    """Somebody asks what triggers would have started."""
    await usecases.keep_backtest(msg, uow)


@on(ConnectionSaved)
async def connection_saved(msg: ConnectionSaved, uow: UnitOfWork) -> None:
    """A connection was made or changed."""
    await usecases.keep_connection(msg, uow)


@on(ConnectionRemoved)
async def connection_removed(msg: ConnectionRemoved, uow: UnitOfWork) -> None:
    """A connection is gone."""
    await usecases.remove_connection(msg, uow)


@on(ConnectionSuspended)
async def connection_suspended(msg: ConnectionSuspended, uow: UnitOfWork) -> None:
    """A connection is held up."""
    await usecases.hold_connection(msg, uow)


@on(ConnectionResumed)
async def connection_resumed(msg: ConnectionResumed, uow: UnitOfWork) -> None:
    """A suspension of a connection was lifted."""
    await usecases.resume_connection(msg, uow)


@on(ExecutionSkipped)
async def execution_skipped(msg: ExecutionSkipped, uow: UnitOfWork) -> None:
    """A start found its key taken."""
    await usecases.note_skipped(msg, uow)


@on(StartRejected)
async def start_rejected(msg: StartRejected, uow: UnitOfWork) -> None:
    """A start was refused."""
    await usecases.note_rejected(msg, uow)


@on.batch(OpenSubscription, CloseSubscription)
async def subscriptions(heard: Sequence[Heard[OpenSubscription | CloseSubscription]], uow: UnitOfWork) -> None:
    """Visits of executions wait for events, or do so no more."""
    await usecases.subscribe([(one.tenant, one.message) for one in heard], uow)


@on.domain
async def domain_events(heard: Sequence[RawEvent], uow: UnitOfWork) -> None:
    """Internal services tell what happened."""
    await usecases.receive(reading.from_messages(heard, uow.now), REGISTRY, uow)
