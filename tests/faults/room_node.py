"""One process of an ordinary room. It has both doors: notes by HTTP, words by the broker.

FAULT_READY: a file that tells the port of its HTTP door once it is open.  FAULT_JWKS: the keys that tokens are signed with.
FAULT_AT, FAULT_AFTER: a point of `tests.faults.room_points`, and how often it is passed before.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvloop
from weft_runtime.auth.published import LocalSource
from weft_runtime.context import ServiceContext
from weft_runtime.pipeline.outbox import Outbox
from weft_runtime.service import Service, run
from weft_runtime.settings import ServiceSettings

from tests.faults import room_points
from tests.runtime.pipeline.room import Room
from tests.runtime.sample import app, tables

LEFT_AFTER_S = 1.0
"""After so long a row of the outbox counts as left behind, so that no test waits for the sweeper's usual 5 s."""


def source(_: ServiceContext) -> LocalSource:
    """The keys that the test signs with."""
    keys: dict[str, Any] = json.loads(os.environ["FAULT_JWKS"])
    return LocalSource(lambda: keys)


def service(settings: ServiceSettings) -> Service:
    """The room."""
    return Service(
        name="sample",
        package="tests.runtime.sample",
        settings=settings,
        door=app.door,
        handlers=Room().on,
        tables=tables.metadata,
        token_source=source,
    )


def ready(_: Sequence[Any], ports: dict[str, int]) -> None:
    """Tell who started us."""
    path = Path(os.environ["FAULT_READY"])
    path.with_suffix(".new").write_text(str(ports["sample"]))
    path.with_suffix(".new").rename(path)


def main() -> None:
    """Be a process of the room until it is ended."""
    room_points.arm(os.environ.get("FAULT_AT", ""), int(os.environ.get("FAULT_AFTER", "0")))
    Outbox.sweep.__kwdefaults__["older_s"] = LEFT_AFTER_S  # type: ignore[index]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run([service(ServiceSettings())], started=ready))
