"""The definitions service, wired."""

from __future__ import annotations

from weft_runtime.service import Service

from weft_definitions import api, handlers, tables
from weft_definitions.settings import Settings


def build(settings: Settings) -> Service:
    """Definitions: its doors and its tables."""
    return Service(
        name="definitions",
        package="weft_definitions",
        settings=settings,
        door=api.door,
        handlers=handlers.on,
        tables=tables.metadata,
    )
