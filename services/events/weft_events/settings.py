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
    allow_private_addresses: bool = Field(
        default=False, description="Let private and loopback addresses be reached: databases as sources, mails fetched."
    )
    record_sources_at_once: int = Field(default=100, ge=1, le=1000, description="Sources that one process reads, each by a connection.")
    record_lease_s: float = Field(
        default=15.0, ge=3, le=300, description="A source whose reader has said nothing for so long is read by another process."
    )
    record_poll_s: float = Field(
        default=5.0, ge=0.1, le=60, description="How often a source is looked at that does not say when something changed."
    )
    record_lag_warn_s: float = Field(
        default=300.0, gt=0, description="A source of which a change waits for so long, or that nobody reads for so long, is behind."
    )
    record_outbox_warn_bytes: int = Field(
        default=1024**3, ge=1, description="A source whose outbox has so many bytes on the disk of its database is behind."
    )
    max_events: int = Field(default=1000, ge=1, le=10_000, description="Events in one batch over HTTP.")
    backtest_events: int = Field(default=50_000, ge=1, description="Events that one backtest looks at; beyond them it is cut, and says so.")
    backtest_s: float = Field(default=60.0, gt=0, description="How long one backtest takes at most, in seconds.")
