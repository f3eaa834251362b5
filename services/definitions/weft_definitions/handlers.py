"""What definitions hears: who has stored a published workflow, what runs, what connections there are, and answers to its questions."""

from __future__ import annotations

from collections.abc import Sequence

from weft_contracts.connections import ConnectionRemoved, ConnectionSaved
from weft_contracts.definitions import WorkflowInstalled
from weft_contracts.executions import ExecutionCancelled, ExecutionCompleted, ExecutionFailed, ExecutionStarted, ExecutionTimedOut
from weft_contracts.questions import DefinitionSimulated, TriggersBacktested
from weft_runtime.pipeline import Handlers, Heard
from weft_runtime.uow import UnitOfWork

from weft_definitions import usecases
from weft_definitions.asking import verbs as asking
from weft_definitions.domain import ExecutionFact

on = Handlers("definitions")


@on(WorkflowInstalled)
async def workflow_installed(msg: WorkflowInstalled, uow: UnitOfWork) -> None:
    """A service has stored its copy of a workflow."""
    await usecases.note_installed(msg, uow)


@on(ConnectionSaved)
async def connection_saved(msg: ConnectionSaved, uow: UnitOfWork) -> None:
    """A connection was made or changed."""
    await usecases.keep_connection(msg, uow)


@on(ConnectionRemoved)
async def connection_removed(msg: ConnectionRemoved, uow: UnitOfWork) -> None:
    """A connection is gone."""
    await usecases.remove_connection(msg, uow)


@on(DefinitionSimulated)
async def definition_simulated(msg: DefinitionSimulated, uow: UnitOfWork) -> None:
    """The engine says what a definition would do."""
    await asking.note_simulation(msg, uow)


@on(TriggersBacktested)
async def triggers_backtested(msg: TriggersBacktested, uow: UnitOfWork) -> None:
    """Events says what triggers would have started."""
    await asking.note_backtest(msg, uow)


@on.batch(ExecutionStarted, ExecutionCompleted, ExecutionFailed, ExecutionTimedOut, ExecutionCancelled)
async def executions(heard: Sequence[Heard[ExecutionFact]], uow: UnitOfWork) -> None:
    """Executions started and ended."""
    await usecases.count_executions([(fact.tenant, fact.message) for fact in heard], uow)
