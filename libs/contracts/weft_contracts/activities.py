"""What the engine and its workers say to each other: activities, on `weft.work`, and their answers.

A tenant's own worker hears `activity.requested` on its own queue and answers to the partition in the item's `replyto`. The tasks service
asks workers, too: to send notifications by a tenant's connections, whose secrets it has not.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from weft_contracts.executions import Failure
from weft_contracts.message import PartitionReply, WorkRequest


class ActivityRequested(WorkRequest):
    """Do this work. Sent on `weft.work` to the pool's queue; the same `key` may come again and must have one effect."""

    type, version = "activity.requested", 1
    owner: ClassVar[str] = "engine"
    execution_id: UUID
    node: str
    visit: int = Field(ge=1)
    attempt: int = Field(ge=1)
    name: str
    input: Any = None
    key: str = Field(description="`<execution>:<node>:<visit>`, stable over retries: the callee's idempotency key.")
    deadline: datetime | None = Field(default=None, description="After this the engine has given the attempt up.")
    lease_s: float = Field(gt=0, description="Seconds without an answer or heartbeat before the engine tries again.")
    priority: int | None = Field(default=None, ge=0, le=9, description="Of the execution: among a tenant's, the higher is done first.")


class _Answer(PartitionReply):
    execution_id: UUID
    node: str
    visit: int = Field(ge=1)
    attempt: int = Field(ge=1)


class ActivityCompleted(_Answer):
    """The work is done."""

    type, version = "activity.completed", 1
    outcome: str = "done"
    output: Any = None


class ActivityFailed(_Answer):
    """The attempt failed; unless `error.permanent`, the engine tries again by the node's `retry`."""

    type, version = "activity.failed", 1
    error: Failure


class ActivityAccepted(_Answer):
    """A worker has begun: the lease runs from now."""

    type, version = "activity.accepted", 1


class ActivityHeartbeat(_Answer):
    """A worker is still at it: the lease is renewed."""

    type, version = "activity.heartbeat", 1
