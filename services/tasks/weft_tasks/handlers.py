"""The message door."""

from __future__ import annotations

from collections.abc import Sequence

from weft_contracts.directory import UserChanged
from weft_contracts.executions import ExecutionPaused, ExecutionResumed, ExecutionsForgotten
from weft_contracts.tasks import CancelTask, CreateTask
from weft_runtime.pipeline import Handlers
from weft_runtime.pipeline.handlers import Heard
from weft_runtime.uow import UnitOfWork

from weft_tasks import usecases

on = Handlers("tasks")


@on(CreateTask)
async def create_task(msg: CreateTask, uow: UnitOfWork) -> None:
    """Put work before a person."""
    await usecases.create_task(msg, uow)


@on(CancelTask)
async def cancel_task(msg: CancelTask, uow: UnitOfWork) -> None:
    """Take it back."""
    await usecases.cancel_task(msg, uow)


@on.batch(ExecutionPaused, ExecutionResumed, repeatable=True)
async def pauses(heard: Sequence[Heard[ExecutionPaused | ExecutionResumed]], uow: UnitOfWork) -> None:
    """Let tasks rest with their executions. Most only wake up, which the inbox need not remember, nor what is kept by its position."""
    await usecases.follow_pauses(heard, uow)


@on(ExecutionsForgotten)
async def executions_forgotten(msg: ExecutionsForgotten, uow: UnitOfWork) -> None:
    """Forget their tasks."""
    await usecases.forget_executions(msg.execution_ids, uow)


@on(UserChanged)
async def user_changed(msg: UserChanged, uow: UnitOfWork) -> None:
    """Keep a copy of a person."""
    await usecases.keep_person(msg, uow)
