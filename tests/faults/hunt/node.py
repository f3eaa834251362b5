"""One process of the hunted mesh: `engine`, `worker`, `events`, `tasks` or `analytics`, with its doors open to the hunt.

FAULT_READY: a file that tells the port of its HTTP door once it is open.  FAULT_JWKS: the keys that tokens are signed with.
FAULT_LEDGER: the port of the fake service that activities have their effects at.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop
from weft.rooms import room
from weft_runtime.clock import SystemClock
from weft_runtime.pipeline.outbox import Outbox
from weft_runtime.service import Service, run

from tests.engine.programs.meshed import worker
from tests.faults.campaign_node import source
from tests.faults.node import show_tasks
from tests.faults.room_node import LEFT_AFTER_S
from weft import services


def whole_milliseconds(_: SystemClock) -> datetime:
    """The time as the reference interpreter counts it, so that both come to the same of two times."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def service(kind: str) -> Service:
    """The process's service."""
    if kind == "worker":
        return worker.service()
    return replace(services.build(room(kind), services.settings(room(kind))), token_source=source)


def ready(_: Sequence[Any], ports: dict[str, int]) -> None:
    """Tell who started us."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, show_tasks)
    path = Path(os.environ["FAULT_READY"])
    path.with_suffix(".new").write_text(str(next(iter(ports.values()))))
    path.with_suffix(".new").rename(path)


def main(kind: str) -> None:
    """Be a process of this kind until it is ended."""
    SystemClock.now = whole_milliseconds  # type: ignore[method-assign, assignment]
    Outbox.sweep.__kwdefaults__["older_s"] = LEFT_AFTER_S  # type: ignore[index]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run([service(kind)], started=ready))
