"""The settings of analytics, read once from the environment (`WEFT_…`) and frozen."""

from __future__ import annotations

from pydantic import Field
from weft_runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """What analytics needs beside what every service needs."""

    minutes_kept_days: int = Field(default=8, ge=1, le=90, description="Days numbers by the minute are kept; by the hour for ever.")
