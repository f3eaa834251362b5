"""What ends the wait of an execution's step, said by whoever did the work or saw the event."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field

from weft_contracts.executions import Failure
from weft_contracts.message import PartitionCommand


class DeliverEvent(PartitionCommand):
    """Bring a domain event to an execution that may wait for it. One that nobody there waits for any more changes nothing."""

    type, version = "execution.event", 1
    execution_id: UUID
    event_id: str = Field(description="The event's id in the log: the same event arrives once.")
    name: str = Field(description="The outcome of the wait.")
    event: dict[str, Any] = Field(description="The CloudEvents attributes, and `data`.")


class CompleteStep(PartitionCommand):
    """The work of a waiting step was done elsewhere, by a person for a `task`. Late and repeated ones change nothing."""

    type, version = "step.complete", 1
    execution_id: UUID
    node: str
    visit: int = Field(ge=1)
    outcome: str
    output: Any = None


class FailStep(PartitionCommand):
    """The work of a waiting step cannot be done, for good."""

    type, version = "step.fail", 1
    execution_id: UUID
    node: str
    visit: int = Field(ge=1)
    error: Failure
