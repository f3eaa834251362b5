"""The tasks service's settings."""

from __future__ import annotations

from pydantic import Field
from weft_runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """What it needs beside what every service does."""

    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[A-Za-z0-9.:_\-\[\]]{1,250}$",
        description="Where browsers reach this installation, such as https://weft.example: where decision links lead.",
    )
    look_every_s: float = Field(default=1.0, gt=0, le=60, description="Between two looks for reminders and steps of ladders that are due.")
    notifications_kept_days: int = Field(default=90, ge=1, le=3650, description="How long people can read what they were told.")
    decision_links_by_mail: bool = Field(
        default=True, description="Whether mails about a task that somebody has carry a link by which whoever reads the mail decides it."
    )
