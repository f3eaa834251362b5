"""Settings of the engine and of its workers."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field
from weft_runtime.settings import ServiceSettings

QUEUE: Final = r"^[A-Za-z0-9_.-]{1,100}$"


class Settings(ServiceSettings):
    """What the engine needs beside what every service does."""

    lanes: int = Field(default=2, ge=1, le=64, description="Hot loops per process: one's commit overlaps another's thinking.")
    lease_s: float = Field(default=5.0, gt=0, description="A node that has not been seen for so long owns nothing any more.")
    beat_s: float = Field(default=0.5, gt=0, description="Between two looks at which partitions are whose.")
    partition_prefetch: int = Field(
        default=1500, ge=1, le=65535, description="Frames taken and not yet acked, per partition: how far fairness can look ahead."
    )
    cached_executions: int = Field(default=10_000, ge=100, description="States kept in memory, per lane.")
    recent_bytes: int = Field(
        default=32 * 1024 * 1024, ge=0, description="Large values that a lane keeps in memory because it read or wrote them lately."
    )
    resend_s: float = Field(default=60.0, gt=0, description="Without an answer for so long, an activity's request is sent again.")
    activity_lease_s: float = Field(default=60.0, gt=0, description="An accepted activity without a heartbeat for so long is given up.")
    pool: str = Field(default="default", pattern=QUEUE, description="The pool a worker takes activities from.")
    worker_concurrency: int = Field(default=200, ge=1, le=10_000, description="Activities a worker runs at once.")
    allow_private_addresses: bool = Field(default=False, description="Let http.request reach private and loopback addresses.")
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[A-Za-z0-9.:_\-\[\]]{1,250}$",
        description="Where browsers reach this installation, such as https://weft.example: where OAuth answers come.",
    )
    shared_queues: tuple[Annotated[str, Field(pattern=QUEUE)], ...] | None = Field(
        default=None,
        description="Queues that activities of every tenant may name beside its own, unless its settings list others; any that is no "
        "other tenant's when it is not set.",
    )
    bulk_most: int = Field(default=1_000_000, ge=1, description="Executions that one bulk job may take.")
