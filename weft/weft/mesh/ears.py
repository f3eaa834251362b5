"""The inboxes of all rooms, there before any of them begins."""

from __future__ import annotations

from weft_contracts.message import PartitionCommand
from weft_contracts.rooms import ROOMS
from weft_runtime.bus import Topology, topology
from weft_runtime.bus.opening import open_bus

from weft.rooms import NAMES


async def open_ears(broker_url: str) -> None:
    """Let the broker keep for each room what is said from now on.

    A fact is said once, to those whose inbox is there: of services that begin together a slow one would never hear what the first said.
    Bound to facts and the room's own commands; what else it hears it binds itself when it begins.
    Raises: WeftError.
    """
    # Guarded by tests/flows/test_notifications.py: the tasks service knows the people of a mesh that has just begun.
    bus = open_bus(broker_url, name="weft up")
    await bus.start()
    try:
        inboxes = {name: [word for word in ROOMS[name].hears if not issubclass(word, PartitionCommand)] for name in NAMES}
        await bus.declare(sum((topology.room(name, heard) for name, heard in inboxes.items()), Topology()))
    finally:
        await bus.close()
