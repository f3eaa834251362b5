"""A whole mesh in a process of its own, as a user starts it."""

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

START_TIMEOUT_S = 150.0
STOP_TIMEOUT_S = 60.0


class MeshProcess:
    """`weft up` on a data directory. command: what runs before it, to become another user."""

    def __init__(self, data_dir: Path, *options: str, command: tuple[str, ...] = (), environment: dict[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.said: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        arguments = [sys.executable, "-u", "-m", "weft", "up", "--data-dir", str(data_dir), *options]
        self.process = subprocess.Popen(
            [*command, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
            env=os.environ | (environment or {}),
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def wait_until_ready(self) -> "MeshProcess":
        """Wait for the last line of the greeting. Raises: AssertionError with what it said instead."""
        while (line := self._lines.get(timeout=START_TIMEOUT_S)) is not None:
            if line.startswith("Ctrl-C"):
                return self
        raise AssertionError("it ended: " + "\n".join(self.said))

    def interrupt(self) -> int:
        """Ctrl-C. Returns: what it exits with."""
        # As a terminal does: to the whole foreground group, of which the servers are no part.
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(STOP_TIMEOUT_S)

    def status(self) -> dict[str, Any]:
        """`weft status --json`."""
        found: dict[str, Any] = json.loads(weft("status", "--json", "--data-dir", str(self.data_dir)).stdout)
        return found

    def end(self) -> None:
        """Stop it if it still runs, and whatever it left."""
        if self.process.poll() is None:
            self.interrupt()
        weft("down", "--data-dir", str(self.data_dir))
        # Elsewhere than in the test's folder, when the user that PostgreSQL runs as cannot come in there.
        shutil.rmtree((self.data_dir / "postgres").resolve(), ignore_errors=True)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            self._lines.put(line.rstrip())
        self._lines.put(None)


def weft(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Another call of the command."""
    return subprocess.run([sys.executable, "-m", "weft", *arguments], capture_output=True, text=True, timeout=90, check=False)
