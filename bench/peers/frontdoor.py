"""A door for systems whose flows live in a process of the application: lines over loopback TCP.

A caller writes `<verb> <workload> <id>`; the application answers `<id>` when that is done, or `<id> <why not>`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count

from bench.peers.driving import drive

VERBS = ("run", "signal")
Handle = Callable[[str, str, str], Awaitable[None]]


async def serve(port: int, handle: Handle) -> asyncio.Server:
    """Open the door. handle: does what a verb asks for a workload and an id; returns when it is done."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks: set[asyncio.Task[None]] = set()

        async def answer(verb: str, workload: str, name: str) -> None:
            trouble = ""
            try:
                await handle(verb, workload, name)
            except Exception as error:  # noqa: BLE001 - whatever the peer raises is told to the caller
                trouble = f" {type(error).__name__}: {error}".replace("\n", " ")
            writer.write(f"{name}{trouble}\n".encode())

        while line := await reader.readline():
            task = asyncio.create_task(answer(*line.decode().split()))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        writer.close()

    return await asyncio.start_server(talk, "127.0.0.1", port)


class Refused(Exception):
    """The application could not do it; the text is what it said."""


class Caller:
    """The other side of the door."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._open: dict[str, asyncio.Future[None]] = {}
        self._names = count()
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def connect(cls, port: int) -> Caller:
        """Knock at an open door."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def execute(self, workload: str) -> None:
        """One execution to its end. Raises: Refused."""
        name = f"x{next(self._names)}"
        end = self._ask("run", workload, name)
        if workload == "signal":
            self._ask("signal", workload, name, f"{name}!")
        await end

    def _ask(self, verb: str, workload: str, name: str, key: str | None = None) -> asyncio.Future[None]:
        answered = self._open[key or name] = asyncio.get_running_loop().create_future()
        self._writer.write(f"{verb} {workload} {key or name}\n".encode())
        return answered

    async def _listen(self) -> None:
        while line := await self._reader.readline():
            name, _, trouble = line.decode().strip().partition(" ")
            answered = self._open.pop(name)
            if answered.done():
                continue  # the one who asked has gone
            if trouble:
                answered.set_exception(Refused(trouble))
            else:
                answered.set_result(None)


async def drive_through(port: int) -> None:
    """Obey commands by asking at an open door, as a web application would be asked."""
    caller = await Caller.connect(port)
    await drive(caller.execute)
