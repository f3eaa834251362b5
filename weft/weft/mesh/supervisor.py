"""A process kept alive: started again when it dies, later each time it dies at once."""

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from weft.stack.processes import ProcessMark

FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
# Whoever lived this long did not die of how it was started.
SETTLED_S = 30.0
STOP_TIMEOUT_S = 20.0


class Child:
    """One command, supervised from `run` to its cancellation.

    marker: words in its environment by which it is recognised after a kill of this process.
    born: told the mark of each process, before anything else happens.
    """

    def __init__(
        self,
        name: str,
        arguments: list[str],
        environment: dict[str, str],
        output: Path,
        marker: str,
        born: Callable[[str, ProcessMark], None],
    ) -> None:
        self.name = name
        self.starts = 0
        self._command = [sys.executable, "-P", "-m", "weft", *arguments]
        self._environment = environment
        self._output = output
        self._marker = marker
        self._born = born

    async def run(self) -> None:
        """Keep it alive until cancelled; then end it: asked first, killed when it takes longer than 20 s."""
        pause_s = FIRST_PAUSE_S
        while True:
            began = time.monotonic()
            process = await self._start()
            try:
                await process.wait()
            except asyncio.CancelledError:
                await _end(process)
                raise
            if time.monotonic() - began > SETTLED_S:
                pause_s = FIRST_PAUSE_S
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _start(self) -> asyncio.subprocess.Process:
        self.starts += 1
        with self._output.open("ab") as output:
            # Its own session: Ctrl-C reaches the supervisor alone, which then ends its children in order.
            process = await asyncio.create_subprocess_exec(
                *self._command,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._born(self.name, ProcessMark.of(process.pid, self._marker))
        return process


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
