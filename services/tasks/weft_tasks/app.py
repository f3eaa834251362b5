"""The tasks service, wired."""

from __future__ import annotations

from weft_runtime.service import Service

from weft_tasks import api, handlers, tables, timing
from weft_tasks.notifications import delivering
from weft_tasks.settings import Settings


def build(settings: Settings) -> Service:
    """Tasks: what waits for people."""
    return Service(
        name="tasks",
        package="weft_tasks",
        settings=settings,
        door=api.door,
        handlers=handlers.on,
        tables=tables.metadata,
        startup=(delivering.prepare,),
        background=(timing.watch, timing.tidy, delivering.watch),
    )
