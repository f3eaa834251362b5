"""The events service, wired."""

from __future__ import annotations

from weft_runtime.service import Service

from weft_events import api, handlers, tables
from weft_events.settings import Settings


def build(settings: Settings) -> Service:
    """Events: its doors and its tables."""
    return Service(
        name="events",
        package="weft_events",
        settings=settings,
        door=api.door,
        handlers=handlers.on,
        tables=tables.metadata,
    )
