"""What the tasks service says about business calendars."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pydantic import Field

from weft_contracts.audit import Origin
from weft_contracts.message import Event


class CalendarChanged(Event):
    """A business calendar was made or changed; this is all of it.

    Heard by engine and events, which keep copies: the highest revision stands; and by analytics (audit).
    """

    type, version = "calendar.changed", 1
    owner: ClassVar[str] = "tasks"
    name: str
    revision: int = Field(ge=1)
    zone: str = Field(description="An IANA name or an offset, such as `Europe/Rome` or `+02:00`.")
    hours: dict[str, tuple[tuple[str, ...], ...]] = Field(
        description="Opening and closing times by day, `mon` to `sun`: `09:00`, `24:00` at most. A day that is left out has none."
    )
    holidays: tuple[str, ...] = Field(default=(), description="Days without working time, such as `2026-12-25`.")
    at: datetime
    by: str | None = Field(default=None, description="Who changed it: a user's or key's id.")
    origin: Origin | None = None
