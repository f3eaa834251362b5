"""The mesh as processes: one for each service, one worker, and the edge in this one."""

import asyncio
import os
import signal
from collections.abc import Callable

from weft_runtime.http.server import HttpServer
from weft_runtime.telemetry.logs import setup_logging

from weft.edge import Edge
from weft.forward import Forward
from weft.mesh.composition import WORKER, Composition
from weft.mesh.health import wait_until_healthy
from weft.mesh.records import LOG, Children
from weft.mesh.supervisor import Child
from weft.rooms import NAMES
from weft.stack.data_dir import DataDirectory
from weft.stack.ports import LOOPBACK
from weft.stack.processes import ProcessMark


async def run_as_processes(
    composition: Composition, data: DataDirectory, started: Callable[[], None], until: asyncio.Event | None = None
) -> None:
    """Run until SIGTERM, SIGINT or `until`. started: told once every service is ready. Raises: StackError, OSError."""
    stop = until or asyncio.Event()
    setup_logging("INFO", data.log(LOG))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    children = Children()

    def born(name: str, mark: ProcessMark) -> None:
        # Written down before it does anything, so that the next start finds it if this process is killed.
        children.marks[name] = mark
        data.state.put("children", children)

    forwards = {address.name: Forward(address.name, address.url) for address in composition.addresses()}
    edge = HttpServer(Edge(forwards), LOOPBACK, composition.installation.ports["edge"])
    tasks = [asyncio.create_task(child.run(), name=child.name) for child in _children(composition, data, born)]
    stopped = asyncio.create_task(stop.wait())
    try:
        ready = asyncio.create_task(wait_until_healthy(composition.addresses(), data))
        await asyncio.wait({ready, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if ready.done():
            ready.result()
            await edge.start()
            started()
            await asyncio.wait({stopped, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            # A supervisor never ends by itself; if one does, its error is ours.
            for task in tasks:
                if task.done():
                    task.result()
        ready.cancel()
    finally:
        await edge.stop()
        stopped.cancel()
        for task in tasks:
            task.cancel()
        await asyncio.gather(stopped, *tasks, return_exceptions=True)
        for forward in forwards.values():
            await forward.close()
        data.state.drop("children")
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def _children(composition: Composition, data: DataDirectory, born: Callable[[str, ProcessMark], None]) -> list[Child]:
    marker = str(data.path)
    shared = os.environ | {"WEFT_DATA_DIR": marker}
    made = []
    for name in (*NAMES, WORKER):
        log = data.log(name)
        environment = shared | composition.environment(name, log)
        made.append(Child(name, [name], environment, log.with_suffix(".out"), marker, born))
    return made
