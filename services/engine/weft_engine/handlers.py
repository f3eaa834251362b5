"""What the engine hears beside its partitions: definitions and their tenants, calendars, budgets, and questions."""

from __future__ import annotations

from weft_contracts.ai import BudgetChanged
from weft_contracts.calendars import CalendarChanged
from weft_contracts.definitions import WorkflowChanged, WorkflowDrafted
from weft_contracts.directory import TenantChanged
from weft_contracts.questions import SimulateDefinition
from weft_runtime.pipeline import Handlers
from weft_runtime.uow import UnitOfWork

from weft_engine import usecases
from weft_engine.simulating import answering

on = Handlers("engine")


@on(WorkflowChanged)
async def workflow_changed(msg: WorkflowChanged, uow: UnitOfWork) -> None:
    """A workflow was published or its life went on."""
    await usecases.install_workflow(msg, uow)


@on(WorkflowDrafted)
async def workflow_drafted(msg: WorkflowDrafted, uow: UnitOfWork) -> None:
    """A workflow has another draft."""
    await usecases.keep_draft(msg, uow)


@on(TenantChanged)
async def tenant_changed(msg: TenantChanged, uow: UnitOfWork) -> None:
    """A tenant was made or changed."""
    await usecases.remember_tenant(msg, uow)


@on(CalendarChanged)
async def calendar_changed(msg: CalendarChanged, uow: UnitOfWork) -> None:
    """A business calendar was made or changed."""
    await usecases.remember_calendar(msg, uow)


@on(BudgetChanged)
async def budget_changed(msg: BudgetChanged, uow: UnitOfWork) -> None:
    """A budget for models was made or changed."""
    await usecases.remember_budget(msg, uow)


@on(SimulateDefinition)
async def simulate_definition(msg: SimulateDefinition, uow: UnitOfWork) -> None:
    """Somebody asks what a definition would do."""
    await answering.answer(msg, uow)
