"""`weft down`: stop the mesh of a data directory, or what a killed one left."""

import os
import signal
import time
from pathlib import Path

from weft.commands.terminal import refuse, say
from weft.mesh.records import Children
from weft.stack.data_dir import DataDirectory
from weft.stack.errors import AlreadyRunning
from weft.stack.processes import end
from weft.stack.stack import end_leftovers

STOP_TIMEOUT_S = 90.0


def down(data_dir: Path) -> None:
    """Stop it and wait until it has ended. Exits with 1 when it does not end in 90 s."""
    data = DataDirectory(data_dir)
    if not data.path.exists():
        say(f"Nothing runs on {data.path}.")
        return
    try:
        with data.lock:
            left = data.state.get("children", Children)
            for mark in left.marks.values() if left else ():
                end(mark)
            end_leftovers(data)
            data.state.drop("children")
            data.state.drop("mesh")
            say(f"Nothing runs on {data.path}.")
            return
    except AlreadyRunning as running:
        holder = running.pid
    if holder is None:
        refuse(f"Somebody holds {data.path} and did not write down who.")
    # Whoever holds the lock wrote its number into it, so the number cannot have been given to another process.
    os.kill(holder, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while data.lock.is_held():
        if time.monotonic() > deadline:
            refuse(f"Process {holder} did not end in {STOP_TIMEOUT_S:.0f} s; see `weft logs`.")
        time.sleep(0.1)
    say(f"Stopped the mesh on {data.path}.")
