"""`weft logs`: what the services and servers wrote, newest last."""

import json
import time
from collections import deque
from pathlib import Path

from weft.commands.terminal import refuse, say
from weft.mesh.records import LOG
from weft.stack.data_dir import DataDirectory

LAST_LINES = 200
LOOK_EVERY_S = 0.3


class Tail:
    """One file, read on as it grows. only: the service whose lines are wanted; None for all."""

    def __init__(self, path: Path, only: str | None = None) -> None:
        self.path = path
        self._only = only
        self._position = 0

    def read(self) -> list[str]:
        """The whole lines written since the last call."""
        if not self.path.exists():
            return []
        if self.path.stat().st_size < self._position:
            # It was rotated or emptied.
            self._position = 0
        with self.path.open("rb") as file:
            file.seek(self._position)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        self._position += len(whole)
        return [line for line in whole.decode(errors="replace").splitlines() if self._wanted(line)]

    def _wanted(self, line: str) -> bool:
        if self._only is None:
            return True
        try:
            found = json.loads(line)
        except ValueError:
            return False
        return isinstance(found, dict) and found.get("service") == self._only


def tails(data: DataDirectory, service: str | None) -> list[Tail]:
    """The files in which a service's lines are, or all files."""
    if service is None:
        return [Tail(path) for path in sorted(data.logs.glob("*.log"))]
    # Alone in its file when it runs in a process of its own, among the others otherwise.
    return [Tail(data.log(service)), Tail(data.log(service).with_suffix(".out")), Tail(data.log(LOG), only=service)]


def logs(data_dir: Path, service: str | None, *, follow: bool) -> None:
    """Print the last 200 lines of each file, and go on with new ones until Ctrl-C when asked to follow. Exits with 1 when there is none."""
    data = DataDirectory(data_dir)
    followed = tails(data, service)
    if not any(tail.path.exists() for tail in followed):
        known = ", ".join(sorted(path.stem for path in data.logs.glob("*.log"))) or "none yet"
        refuse(f"There is no log of {service or 'anything'} in {data.logs}. There are: {known}.")
    for tail in followed:
        for line in deque(tail.read(), LAST_LINES):
            say(line)
    try:
        while follow:
            time.sleep(LOOK_EVERY_S)
            for tail in followed:
                for line in tail.read():
                    say(line)
    except KeyboardInterrupt:
        return
