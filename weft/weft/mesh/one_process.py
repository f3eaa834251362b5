"""The mesh in this process: every service, the worker and the edge on one event loop."""

import asyncio
from collections.abc import Callable, Sequence

from starlette.types import ASGIApp
from weft_runtime.service import Host, run

from weft.edge import Edge
from weft.mesh.composition import Composition
from weft.mesh.records import LOG
from weft.rooms import ROOMS
from weft.services import build, settings, with_worker
from weft.stack.data_dir import DataDirectory
from weft.stack.ports import LOOPBACK


async def run_in_one_process(
    composition: Composition, data: DataDirectory, started: Callable[[], None], until: asyncio.Event | None = None
) -> None:
    """Run until SIGTERM, SIGINT or `until`. started: told once every door is open. Raises: Unavailable, OSError."""
    services = []
    for room in ROOMS:
        service = build(room, settings(room, **composition.values(room.name, data.log(LOG))))
        services.append(with_worker(service) if room.name == "engine" else service)

    def told(hosts: Sequence[Host], ports: dict[str, int]) -> None:
        started()

    port = composition.installation.ports["edge"]
    await run(services, edge=_edge, edge_host=LOOPBACK, edge_port=port, started=told, until=until)


def _edge(hosts: Sequence[Host]) -> ASGIApp:
    return Edge({host.service.name: host.app for host in hosts})
