"""What the engine hears beside its partitions: the definitions it runs and the tenants they belong to."""

from __future__ import annotations

from weft_contracts.definitions import WorkflowChanged
from weft_contracts.directory import TenantChanged
from weft_runtime.pipeline import Handlers
from weft_runtime.uow import UnitOfWork

from weft_engine import usecases

on = Handlers("engine")


@on(WorkflowChanged)
async def workflow_changed(msg: WorkflowChanged, uow: UnitOfWork) -> None:
    """A workflow was published or its life went on."""
    await usecases.install_workflow(msg, uow)


@on(TenantChanged)
async def tenant_changed(msg: TenantChanged, uow: UnitOfWork) -> None:
    """A tenant was made or changed."""
    await usecases.remember_tenant(msg, uow)
