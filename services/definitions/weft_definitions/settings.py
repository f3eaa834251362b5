"""Settings of the definitions service."""

from __future__ import annotations

from pydantic import Field
from weft_runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """What definitions needs beside what every service does."""

    installers: tuple[str, ...] = Field(
        default=("engine", "events"), description="Who must have stored a published workflow before we answer."
    )
    install_wait_s: float = Field(
        default=3.0, ge=0, le=30, description="The longest we wait for them; after that the answer is sent anyway."
    )
    answer_wait_s: float = Field(
        default=10.0, ge=0, le=30, description="The longest a test of a rule waits for the engine's answer; a backtest waits half of it."
    )
