"""Bringing the mesh up on this machine and taking it down again.

Light on purpose: the servers are started before the services' code is loaded, and both happen at once. The schemas are brought up
to date as soon as the database answers, while RabbitMQ still starts.
"""

import asyncio
import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

import uvloop

from weft.importing import uncollected
from weft.mesh.records import Children, Demo, Installation, Mesh
from weft.stack.data_dir import DataDirectory
from weft.stack.errors import StackError
from weft.stack.processes import end
from weft.stack.sql import execute, fetch_column, with_database
from weft.stack.stack import Running, Stack

DATABASE = "weft"
Progress = Callable[[str], None]
Ready = Callable[[Mesh, Running, Demo | None, str | None], None]


class Up:
    """One run of the mesh.

    port: of the web address; None takes 8080 or a free one.  progress: told in words what takes time.
    ready: told once people can use it, with the demo tenant, or why there is none.
    """

    def __init__(self, data_dir: Path, *, processes: bool, port: int | None, progress: Progress, ready: Ready) -> None:
        self._stack = Stack(data_dir, progress, self._bring_up)
        self.data: DataDirectory = self._stack.data
        self._processes = processes
        self._port = port
        self._progress = progress
        self._ready = ready
        self._schemas_loaded = threading.Event()
        self._changed: list[str] = []

    def run(self) -> None:
        """Run until Ctrl-C or SIGTERM, then stop everything that was started.

        Raises: AlreadyRunning; StackError, WeftError, OSError when something cannot be started.
        """
        # Whatever a killed predecessor left may be ended under the directory's lock only, and nothing written before.
        self.data.lock.acquire()
        before = signal.signal(signal.SIGTERM, _stop)
        loading = threading.Thread(target=self._load, daemon=True)
        loading.start()
        try:
            self._end_children()
            running = self._stack.start()
            if self._processes and running.broker_url is None:
                raise StackError(
                    "broker_needed",
                    "Services in processes of their own need RabbitMQ to speak to each other, and there is none.",
                    "Leave --processes out, install RabbitMQ, or set WEFT_BROKER_URL.",
                )
            loading.join()
            self._serve(running)
        finally:
            self._progress("Stopping")
            self._stack.stop()
            self.data.state.drop("mesh")
            signal.signal(signal.SIGTERM, before)

    def _serve(self, running: Running) -> None:
        from weft.mesh.serving import Serving

        serving = Serving(
            self._stack,
            running,
            self._installation(),
            self._database(running.database_url),
            changed=bool(self._changed),
            processes=self._processes,
            port=self._port,
            progress=self._progress,
            ready=self._ready,
        )
        uvloop.run(serving.run())

    def _end_children(self) -> None:
        left = self.data.state.get("children", Children)
        for mark in left.marks.values() if left else ():
            # Everything is durable, and the data behind them was cut off already.
            end(mark, signal.SIGKILL)

    def _installation(self) -> Installation:
        return _keyed(Installation.of(self.data).with_ports(self.data, self._port))

    def _bring_up(self, database_url: str) -> None:
        """Make the database's schemas what this code needs."""
        # Two threads that load what imports itself in a circle could each find the other's half.
        self._schemas_loaded.wait()
        from weft.mesh.schemas import bring_up

        self._progress("Bringing the schemas up to date")
        self._changed = asyncio.run(bring_up(self._database(database_url), _keyed(Installation.of(self.data)).secret_key))

    def _database(self, url: str) -> str:
        """The superuser's address of the mesh's database: one of its own on our server, the given one elsewhere."""
        if self._stack.postgres is None:
            return url
        if DATABASE not in fetch_column(url, "SELECT datname FROM pg_database"):
            execute(url, f'CREATE DATABASE "{DATABASE}"')
        return with_database(url, DATABASE)

    def _load(self) -> None:
        """Load the code while the servers start. What fails here fails again, audibly, where it is needed."""
        with uncollected():
            try:
                importlib.import_module("weft.mesh.schemas")
            finally:
                self._schemas_loaded.set()
            importlib.import_module("weft.mesh.serving")
            if not self._processes:
                importlib.import_module("weft.services").load()


def _keyed(installation: Installation) -> Installation:
    """With the secret that the environment gives, if it does; the data directory keeps its own."""
    given = os.environ.get("WEFT_SECRET_KEY")
    return installation.model_copy(update={"secret_key": given}) if given else installation


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    """SIGTERM before the services run: leave by the same way as Ctrl-C."""
    sys.exit(128 + number)
