"""A process of the events service, which fires schedules and dies over it.

FAULT_READY: a file that is there once its doors are open.  FAULT_AT: a point of `tests.faults.room_points`, passed by each look that starts
something; "" where it is to live.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvloop
from weft_events import app
from weft_events.settings import Settings
from weft_runtime.auth.published import LocalSource
from weft_runtime.context import ServiceContext
from weft_runtime.pipeline.outbox import Outbox
from weft_runtime.service import run

from tests.faults import room_points
from tests.faults.room_node import LEFT_AFTER_S


def source(_: ServiceContext) -> LocalSource:
    """Nobody signs in here."""
    return LocalSource(lambda: {"keys": []})


def ready(_: Sequence[Any], __: dict[str, int]) -> None:
    """Tell who started us."""
    Path(os.environ["FAULT_READY"]).touch()


def main() -> None:
    """Be a process of the service until it is ended."""
    room_points.arm(os.environ.get("FAULT_AT", ""), 0)
    Outbox.sweep.__kwdefaults__["older_s"] = LEFT_AFTER_S  # type: ignore[index]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run([replace(app.build(Settings()), token_source=source)], started=ready))
