"""The tasks service's settings."""

from __future__ import annotations

from pydantic import Field
from weft_runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """What it needs beside what every service does."""

    look_every_s: float = Field(default=1.0, gt=0, le=60, description="Between two looks for reminders and steps of ladders that are due.")
