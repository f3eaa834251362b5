"""Settings of the events service."""

from __future__ import annotations

from pydantic import Field
from weft_runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """What events needs beside what every service does."""

    events_kept_days: int = Field(
        default=0, ge=0, le=36_500, description="Events are forgotten after so many days, 0 keeps them for ever; a tenant may have another."
    )
    hook_requests_per_hour: int = Field(
        default=360_000, ge=1, description="Calls of one tenant's webhooks that were verified; `hook` in requests_per_hour_by_tenant."
    )
    max_events: int = Field(default=1000, ge=1, le=10_000, description="Events in one batch over HTTP.")
