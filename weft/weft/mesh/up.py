"""Bringing the mesh up on this machine, keeping it up, and taking it down again."""

import asyncio
import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

import structlog

from weft.mesh.composition import Composition
from weft.mesh.demo import add_workflow, found, people
from weft.mesh.many_processes import run_as_processes
from weft.mesh.one_process import run_in_one_process
from weft.mesh.records import LOG, Children, Demo, Installation, Mesh
from weft.mesh.schemas import bring_up
from weft.rooms import ROOMS
from weft.stack.data_dir import DataDirectory
from weft.stack.errors import StackError
from weft.stack.processes import ProcessMark, end
from weft.stack.sql import execute, fetch_column, with_database
from weft.stack.stack import Running, Stack

DATABASE = "weft"
LOOK_AFTER_SERVERS_S = 0.5
Progress = Callable[[str], None]


class Up:
    """One run of the mesh.

    port: of the web address; None takes 8080 or a free one.  progress: told in words what takes time.
    ready: told once people can use it, with the demo tenant, or why there is none.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        processes: bool,
        port: int | None,
        progress: Progress,
        ready: Callable[[Mesh, Running, Demo | None, str | None], None],
    ) -> None:
        self.data = DataDirectory(data_dir)
        self._stack = Stack(data_dir, progress)
        self._processes = processes
        self._port = port
        self._progress = progress
        self._ready = ready

    def run(self) -> None:
        """Run until Ctrl-C or SIGTERM, then stop everything that was started.

        Raises: AlreadyRunning; StackError, WeftError, OSError when something cannot be started.
        """
        before = signal.signal(signal.SIGTERM, _stop)
        threading.Thread(target=_import_services, daemon=True).start()
        try:
            # Only under the directory's lock may what a killed predecessor left be ended.
            self._stack.data.lock.acquire()
            self._end_children()
            running = self._stack.start()
            composition = self._compose(running)
            asyncio.run(self._run(composition, running))
        finally:
            self._progress("Stopping")
            self._stack.stop()
            self.data.state.drop("mesh")
            signal.signal(signal.SIGTERM, before)

    def _end_children(self) -> None:
        left = self.data.state.get("children", Children)
        for mark in left.marks.values() if left else ():
            # Everything is durable, and the data behind them was cut off already.
            end(mark, signal.SIGKILL)

    def _compose(self, running: Running) -> Composition:
        installation = Installation.of(self.data).with_ports(self.data, self._port)
        if given := os.environ.get("WEFT_SECRET_KEY"):
            installation = installation.model_copy(update={"secret_key": given})
        if self._processes and running.broker_url is None:
            raise StackError(
                "broker_needed",
                "Services in processes of their own need RabbitMQ to speak to each other, and there is none.",
                "Leave --processes out, install RabbitMQ, or set WEFT_BROKER_URL.",
            )
        url = running.database_url
        if self._stack.postgres is not None:
            if DATABASE not in fetch_column(url, "SELECT datname FROM pg_database"):
                execute(url, f'CREATE DATABASE "{DATABASE}"')
            url = with_database(url, DATABASE)
        return Composition(installation, url, running.broker_url)

    async def _run(self, composition: Composition, running: Running) -> None:
        self._progress("Bringing the schemas up to date")
        changed = await bring_up(composition.superuser_url, composition.installation.secret_key)
        demo = people(self.data)
        if changed:
            # A new database, or new code: the tenant may be missing.
            self._progress("Preparing the demo tenant")
            await found(composition, demo)
        self._progress("Starting the services")
        greeting: set[asyncio.Task[None]] = set()

        def started() -> None:
            mesh = self._record(composition)
            greeting.add(asyncio.create_task(self._greet(mesh, running, demo)))

        watching = asyncio.create_task(self._look_after_servers())
        run = run_as_processes if self._processes else run_in_one_process
        try:
            await run(composition, self.data, started)
        finally:
            for task in (watching, *greeting):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    def _record(self, composition: Composition) -> Mesh:
        mesh = Mesh(
            url=composition.public_url,
            database_url=composition.superuser_url,
            broker_url=composition.broker_url,
            processes=self._processes,
            services=composition.addresses(),
            holder=ProcessMark.of(os.getpid(), ""),
        )
        self.data.state.put("mesh", mesh)
        return mesh

    async def _greet(self, mesh: Mesh, running: Running, demo: Demo) -> None:
        try:
            await add_workflow(mesh.url, demo)
        except StackError as error:
            self._ready(mesh, running, None, str(error))
        else:
            self._ready(mesh, running, demo, None)

    async def _look_after_servers(self) -> None:
        """Start PostgreSQL or RabbitMQ again when they die; the services find them at their ports."""
        log = structlog.get_logger(service=LOG)
        while True:
            await asyncio.sleep(LOOK_AFTER_SERVERS_S)
            try:
                for name in await asyncio.to_thread(self._stack.revive):
                    log.warning("server_started_again", server=name)
            except StackError as error:
                log.error("server_not_started", code=error.code, problem=error.problem)


def _import_services() -> None:
    """Load the services' code while the servers start. What fails here fails again, audibly, where it is needed."""
    for room in ROOMS:
        with suppress(ImportError):
            importlib.import_module(f"{room.package}.app")


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    """SIGTERM before the services run: leave by the same way as Ctrl-C."""
    sys.exit(128 + number)
