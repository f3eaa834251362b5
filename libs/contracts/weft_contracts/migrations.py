"""What the engine hears about going on by another version of a workflow."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from weft_contracts.message import PartitionCommand


class MigrateExecution(PartitionCommand):
    """Let a live execution go on by another version of its workflow. Asked twice, it is done once."""

    type, version = "execution.migrate", 1
    execution_id: UUID
    workflow_version: int
    from_version: int | None = Field(default=None, description="Refused where the execution runs another one.")
    mapping: dict[str, str | None] | None = Field(
        default=None,
        description="Nodes, and branches as `<node>/<branch>`, by what they become, null where they go; the proposal when absent.",
    )
    timers: str = Field(default="keep", description="`keep` what remains of each, or `reset` them by the new nodes' own.")
    dry_run: bool = Field(default=False, description="Answer with the verdict, and change nothing.")
    user: str | None = None
    answer_id: UUID | None = None


class UndoMigration(PartitionCommand):
    """Restore the state before an execution's last migration, unless anything has happened since."""

    type, version = "execution.undo_migration", 1
    execution_id: UUID
    workflow_version: int | None = Field(default=None, description="Refused where the last migration led to another one.")
    user: str | None = None
    answer_id: UUID | None = None
