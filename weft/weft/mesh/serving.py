"""The services of a mesh on a started stack: demo tenant, services, and servers that are started again when they die."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import structlog

from weft.mesh.composition import Composition
from weft.mesh.demo import add_workflow, found, people
from weft.mesh.ears import open_ears
from weft.mesh.many_processes import run_as_processes
from weft.mesh.one_process import run_in_one_process
from weft.mesh.records import LOG, Demo, Installation, Mesh
from weft.stack import ports
from weft.stack.errors import StackError
from weft.stack.processes import ProcessMark
from weft.stack.stack import Running, Stack

LOOK_AFTER_SERVERS_S = 0.5


class Serving:
    """The services, from the demo tenant to their end.

    superuser_url: of the mesh's database.  changed: whether a schema had to be brought up to this code.  The others as in `Up`.
    """

    def __init__(
        self,
        stack: Stack,
        running: Running,
        installation: Installation,
        superuser_url: str,
        *,
        changed: bool,
        processes: bool,
        port: int | None,
        progress: Callable[[str], None],
        ready: Callable[[Mesh, Running, Demo | None, str | None], None],
    ) -> None:
        self._stack = stack
        self._running = running
        self._composition = Composition(installation, superuser_url, running.broker_url)
        self._changed = changed
        self._processes = processes
        self._port = port
        self._progress = progress
        self._ready = ready
        self._greeting: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT. Raises: StackError, WeftError, OSError when something cannot be started."""
        demo = people(self._stack.data)
        if self._changed:
            # A new database, or new code: the tenant may be missing.
            self._progress("Preparing the demo tenant")
            if self._composition.broker_url is not None:
                await open_ears(self._composition.broker_url)
            await found(self._composition, demo)
        self._progress("Starting the services")

        def started() -> None:
            self._greeting = asyncio.create_task(self._greet(self._record(), demo))

        watching = asyncio.create_task(self._look_after_servers())
        try:
            await self._serve(started)
        finally:
            for task in (watching, self._greeting):
                if task is not None:
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task

    async def _serve(self, started: Callable[[], None]) -> None:
        serve = run_as_processes if self._processes else run_in_one_process
        while True:
            try:
                return await serve(self._composition, self._stack.data, started)
            except OSError:
                # Between our look and our listening somebody else took the web port; where nobody asked for this one, another will do.
                lost = not ports.is_free(self._composition.installation.ports["edge"])
                if self._port is not None or self._greeting is not None or not lost:
                    raise
            data, known = self._stack.data, self._composition.installation
            other = Installation.of(data).with_ports(data, None).ports
            self._composition = replace(self._composition, installation=known.model_copy(update={"ports": other}))

    def _record(self) -> Mesh:
        mesh = Mesh(
            url=self._composition.public_url,
            database_url=self._composition.superuser_url,
            broker_url=self._composition.broker_url,
            processes=self._processes,
            services=self._composition.addresses(),
            holder=ProcessMark.of(os.getpid(), ""),
        )
        self._stack.data.state.put("mesh", mesh)
        return mesh

    async def _greet(self, mesh: Mesh, demo: Demo) -> None:
        try:
            await add_workflow(mesh.url, demo)
        except StackError as error:
            self._ready(mesh, self._running, None, str(error))
        else:
            self._ready(mesh, self._running, demo, None)

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
