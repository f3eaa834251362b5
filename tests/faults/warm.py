"""Processes that start warm: forked from one that has imported what they run, and as real and as mortal as any other.

A node takes its imports' two seconds of computing from the machine that the test is measuring; forked, it takes none.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

NODE, ROOM, GATEWAY = "tests.faults.node", "tests.faults.room_node", "tests.faults.gateway_node"
CAMPAIGNS, HUNTED = "tests.faults.campaign_node", "tests.faults.hunt.node"
SCHEDULES, RETRIES = "tests.faults.schedule_node", "tests.faults.retry_node"
"""What such a process may run: modules with a function `main`."""

_context = get_context("forkserver")
# The program that runs the tests is one of them, because each such process reads the module `__main__` of who started it.
_context.set_forkserver_preload([NODE, ROOM, GATEWAY, CAMPAIGNS, HUNTED, SCHEDULES, RETRIES, "pytest"])


def spawn(module: str, *arguments: str, environment: Mapping[str, str], log: Path) -> ForkServerProcess:
    """Start `python -m <module> <arguments>` with this added to the environment; what it says is added to the log."""
    process = _context.Process(target=_run, args=(module, arguments, {**os.environ, **environment}, log))
    process.start()
    return process


def _run(module: str, arguments: tuple[str, ...], environment: dict[str, str], log: Path) -> None:
    """In the new process: become what was asked for."""
    gc.freeze()  # what was imported is not looked at again, as in every service: `weft.importing`
    os.environ.clear()
    os.environ.update(environment)
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(said, stream.fileno())
    os.close(said)
    import_module(module).main(*arguments)
