"""An engine whose doors are open to the test, and which dies amid a bulk job or a migration.

FAULT_READY: a file that tells the port of its HTTP door once it is open.  FAULT_JWKS: the keys that tokens are signed with.
At SIGUSR2 it takes up the file beside that one, `.at`: a point and how often it is passed before. The points are those of
`tests.faults.room_points`, passed by each look that sends commands, and `judged`: a look has written verdicts and not committed them.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import uvloop
from weft.rooms import room
from weft_engine.store import migrations
from weft_runtime.auth.published import LocalSource
from weft_runtime.context import ServiceContext
from weft_runtime.pipeline.outbox import Outbox
from weft_runtime.service import run
from weft_runtime.uow import UnitOfWork

from tests.faults import dying, room_points
from tests.faults.dying import passing
from tests.faults.node import show_tasks
from tests.faults.room_node import LEFT_AFTER_S
from weft import services


def source(_: ServiceContext) -> LocalSource:
    """The keys that the test signs with."""
    keys: dict[str, Any] = json.loads(os.environ["FAULT_JWKS"])
    return LocalSource(lambda: keys)


def ready(_: Sequence[Any], ports: dict[str, int]) -> None:
    """Tell who started us."""
    loop, path = asyncio.get_running_loop(), Path(os.environ["FAULT_READY"])
    loop.add_signal_handler(signal.SIGUSR1, show_tasks)
    loop.add_signal_handler(signal.SIGUSR2, arm, path.with_suffix(".at"))
    path.with_suffix(".new").write_text(str(ports["engine"]))
    path.with_suffix(".new").rename(path)


def arm(told: Path) -> None:
    """Die at the point that stands in a file; it is gone once that is so."""
    point, after = told.read_text().split()
    dying.arm(point, int(after))
    told.unlink()


def _instrument_verdicts() -> None:
    judge = migrations.judge

    async def judging(uow: UnitOfWork, migration_id: UUID, verdicts: Sequence[migrations.Judged]) -> None:
        await judge(uow, migration_id, verdicts)
        passing("judged")

    migrations.judge = judging


def main(kind: str) -> None:
    """Be a process of this kind, `engine`, until it is ended."""
    _instrument_verdicts()
    room_points.arm("", 0)
    Outbox.sweep.__kwdefaults__["older_s"] = LEFT_AFTER_S  # type: ignore[index]
    engine = replace(services.build(room(kind), services.settings(room(kind))), token_source=source)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run([engine], started=ready))
