"""What the audit is told of what people ask of executions and do to many of them. Pure.

Of a command that a partition may refuse it tells that it was sent; the execution's history tells what came of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from weft_contracts.audit import RecordAudit
from weft_contracts.executions import SignalExecution
from weft_contracts.migrations import MigrateExecution, UndoMigration


def signal_sent(command: SignalExecution) -> RecordAudit:
    """A signal was sent by hand. What it carried is in the history."""
    return _of_execution("signal_sent", command.execution_id, signal=command.name, signal_id=command.signal_id)


def migration_sent(command: MigrateExecution | UndoMigration) -> RecordAudit:
    """An execution is to go on by another version, or by the one before."""
    if isinstance(command, UndoMigration):
        return _of_execution("migration_undo_sent", command.execution_id)
    about = {"to_version": command.workflow_version, "mapping": command.mapping, "timers": command.timers}
    return _of_execution("migration_sent", command.execution_id, **about)


def bulk(action: str, job_id: UUID, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> RecordAudit:
    """One verb on many executions was started, or stopped."""
    return _changed(f"bulk.{action}", "bulk", str(job_id), before, after)


def migration(action: str, migration_id: UUID, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> RecordAudit:
    """A migration of many executions was planned, applied or undone."""
    return _changed(f"migration.{action}", "migration", str(migration_id), before, after)


def suspension(kind: str, name: str, reason: str | None, *, held: bool) -> RecordAudit:
    """Something is held up, or goes on. kind: `tenant`, `workflow`, `node_type`.  name: empty for the tenant.  held: as it is now."""
    before = None if held else {"suspended": True, "reason": reason}
    after = {"suspended": held, "reason": reason if held else None}
    return _changed(f"{kind}.{'suspended' if held else 'resumed'}", f"{kind}_use", name, before, after)


def connection_tried(connection_id: UUID, name: str) -> RecordAudit:
    """A connection is tried, with its secrets."""
    return RecordAudit(action="connection.tested", resource_type="connection", resource_id=str(connection_id), details={"name": name})


def _of_execution(action: str, execution_id: UUID, **details: Any) -> RecordAudit:
    return RecordAudit(action=f"execution.{action}", resource_type="execution", resource_id=str(execution_id), details=details)


def _changed(action: str, kind: str, name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> RecordAudit:
    was = None if before is None else dict(before)
    return RecordAudit(action=action, resource_type=kind, resource_id=name, before=was, after=dict(after))
