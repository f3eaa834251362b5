"""The settings of analytics, read once from the environment (`WEFT_…`) and frozen."""

from __future__ import annotations

from pydantic import Field
from weft_runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """What analytics needs beside what every service needs."""

    minutes_kept_days: int = Field(default=8, ge=1, le=90, description="Days numbers by the minute are kept; by the hour for ever.")
    alerts_every_s: float = Field(default=15.0, gt=0, le=600, description="How often what alert rules watch for is looked for.")
    alerts_kept_days: int = Field(default=90, ge=1, le=3650, description="Days alerts are kept after they were resolved.")
    costs_kept_days: int = Field(default=400, ge=62, le=3650, description="Days calls of models, and what they cost, are kept.")
    walks_kept_days: int = Field(default=400, ge=1, le=3650, description="Days numbers of nodes and of ways are kept.")
    walks_added_every_s: float = Field(default=10.0, gt=0, le=600, description="How often what was heard of them is added to the numbers.")
