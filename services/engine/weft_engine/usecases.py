"""The engine's verbs: load, decide, save, say. What moves an execution itself is in `core`; here is what asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from weft_contracts.ai import BudgetChanged
from weft_contracts.calendars import CalendarChanged
from weft_contracts.definitions import WorkflowChanged, WorkflowDrafted, WorkflowInstalled
from weft_contracts.directory import TenantChanged
from weft_contracts.executions import (
    CancelExecution,
    PauseExecution,
    ResumeExecution,
    RetryExecution,
    SignalExecution,
    StartExecution,
)
from weft_contracts.migrations import MigrateExecution, UndoMigration
from weft_contracts.routing import partition_of
from weft_language.compilation import Program
from weft_language.expressions import Calendar
from weft_runtime.uow import UnitOfWork

from weft_engine import auditing, by_hand, domain, gates, store
from weft_engine.core.entries import STEP_WAITING, Entry, Row
from weft_engine.core.quotas import quotas_of
from weft_engine.core.sentences import Called, called_by
from weft_engine.errors import ExecutionNotFound, KeyTaken, VersionNotFound, WorkflowNotFound
from weft_engine.programs import ProgramCache
from weft_engine.store import budgets, calendars, drafts, quotas

Asking = CancelExecution | PauseExecution | ResumeExecution | RetryExecution | SignalExecution | MigrateExecution | UndoMigration
"""Commands to one execution that exists."""


@dataclass(frozen=True, slots=True)
class Found:
    """An execution as it is stored. rows: its journal, empty while it is queued."""

    id: UUID
    workflow: str
    version: int
    status: str
    rows: list[Row]


async def start_execution(start: StartExecution, programs: ProgramCache, partitions: int, uow: UnitOfWork) -> UUID:
    """Accept a start by hand.

    Raises: WorkflowNotFound, VersionNotFound, WorkflowInactive, TriggerDisabled, TriggerRefused, InputInvalid, KeyTaken, QuotaExceeded.
    """
    known = await quotas.workflow(uow, start.workflow)
    if known is None:
        raise WorkflowNotFound(start.workflow)
    version = domain.version_to_run(start.workflow, known.status, known.active_version, wanted=start.workflow_version)
    program = await program_of(uow, programs, start.workflow, version)
    if by_hand.is_written(program):
        start = by_hand.triggered(start, program, await read_tenant(uow), await read_calendars([program], uow), uow.now)
    domain.check_input(program, start.input)
    if start.key is not None and (holder := await store.holder(uow, start.workflow, start.key)) is not None:
        raise KeyTaken(start.workflow, start.key, holder)
    partition, labels = partition_of(start.execution_id, partitions), {**program.labels, **start.labels}
    await store.queue(uow, start.execution_id, start.workflow, version, partition, start.key, labels)
    passed = await gates.pass_quotas(start.execution_id, quotas_of(known.settings), uow)
    uow.say(start.model_copy(update={"workflow_version": version, "passed": passed, "priority": program.settings.priority}))
    return start.execution_id


async def require_workflow(slug: str, uow: UnitOfWork) -> None:
    """Refuse the name of a workflow that is not here. Raises: WorkflowNotFound."""
    if await quotas.workflow(uow, slug) is None:
        raise WorkflowNotFound(slug)


async def program_of(uow: UnitOfWork, programs: ProgramCache, slug: str, version: int) -> Program:
    """The program of a version. Raises: VersionNotFound."""
    program = programs.get(uow.tenant, slug, version)
    if program is not None:
        return program
    document = await store.document(uow, slug, version)
    if document is None:
        raise VersionNotFound(slug, version)
    return programs.compile(uow.tenant, slug, version, document)


async def not_published(rows: Iterable[Row], uow: UnitOfWork) -> set[Called]:
    """What an execution has called and waits for that is not here. rows: its journal."""
    called = {
        called_by(entry.data) for row in rows for entry in row.entries if entry.kind == STEP_WAITING and entry.data["kind"] == "child"
    }
    return called - await store.published(uow, called) if called else set()


async def find_execution(execution_id: UUID, uow: UnitOfWork) -> Found:
    """An execution with its journal. Raises: ExecutionNotFound."""
    head = await store.head(uow, execution_id)
    if head is None:
        raise ExecutionNotFound(execution_id)
    return Found(execution_id, head.workflow, head.version, head.status, await store.rows(uow, execution_id))


async def has_ended(execution_id: UUID, uow: UnitOfWork) -> bool:
    """Whether an execution is known and nothing can happen to it any more."""
    head = await store.head(uow, execution_id)
    return head is not None and domain.has_ended(head.status)


async def read_history(execution_id: UUID, after: int, limit: int, uow: UnitOfWork) -> list[tuple[int, Row, Entry]]:
    """Entries of an execution's journal, those after a position. Raises: ExecutionNotFound."""
    if await store.head(uow, execution_id) is None:
        raise ExecutionNotFound(execution_id)
    return await store.entries(uow, execution_id, after=after, limit=limit)


async def ask_execution(command: Asking, uow: UnitOfWork) -> None:
    """Send a command to the partition that owns an execution, and tell the audit of what no fact will tell. Raises: ExecutionNotFound."""
    if await store.head(uow, command.execution_id) is None:
        raise ExecutionNotFound(command.execution_id)
    uow.say(command)
    if isinstance(command, SignalExecution):
        uow.say(auditing.signal_sent(command))
    elif isinstance(command, UndoMigration) or (isinstance(command, MigrateExecution) and not command.dry_run):
        uow.say(auditing.migration_sent(command))


async def read_tenant(uow: UnitOfWork) -> dict[str, Any]:
    """The caller's tenant as expressions read it."""
    return await store.tenant(uow) or {"id": uow.tenant, "tier": "standard", "settings": {}}


async def read_calendars(programs: Iterable[Program], uow: UnitOfWork) -> Mapping[str, Calendar]:
    """The caller's business calendars by name, where one of these programs reads any."""
    return await calendars.known(uow) if any(program.calendars.any for program in programs) else {}


async def read_answer(answer_id: UUID, uow: UnitOfWork) -> tuple[int, dict[str, Any]] | None:
    """What the partition answered, None while it has not."""
    return await store.answer(uow, answer_id)


async def install_workflow(change: WorkflowChanged, uow: UnitOfWork) -> None:
    """Keep a copy of a workflow, and tell that it is here."""
    await store.install(uow, change)
    if change.status == "archived":
        await drafts.forget(uow, change.slug)
    uow.say(WorkflowInstalled(slug=change.slug, revision=change.revision, service="engine"))


async def keep_draft(said: WorkflowDrafted, uow: UnitOfWork) -> None:
    """Keep a copy of a draft, and tell that it is here."""
    await drafts.keep(uow, said)
    uow.say(WorkflowInstalled(slug=said.slug, revision=said.edit, service="engine.drafts"))


async def remember_tenant(change: TenantChanged, uow: UnitOfWork) -> None:
    """Keep a copy of a tenant."""
    await store.remember_tenant(uow, change)


async def remember_calendar(change: CalendarChanged, uow: UnitOfWork) -> None:
    """Keep a copy of a business calendar."""
    await calendars.remember(uow, change)


async def remember_budget(change: BudgetChanged, uow: UnitOfWork) -> None:
    """Keep a copy of a budget."""
    await budgets.remember(uow, change)
