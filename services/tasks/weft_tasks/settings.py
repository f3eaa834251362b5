"""The tasks service's settings: what every service needs."""

from __future__ import annotations

from weft_runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Nothing of its own yet stands beside what every service needs."""
