"""Both processes: `python -m bench.peers.prefect.app flows` runs what the door asks for, `... steps` takes steps from the server."""

from __future__ import annotations

import asyncio
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from uuid import UUID

import prefect
from prefect.futures import wait
from prefect.input import receive_input, send_input
from prefect.runtime import flow_run

from bench.peers import frontdoor
from bench.peers.peer import port, say_ready

# Tuned: a worker takes 10 steps at once by default.
STEPS_AT_ONCE = 100
FLOWS_AT_ONCE = 16
RESULT_S = 60.0
# Input to a flow is polled for (default 10 s).
INPUT_POLL_S = 0.05


@prefect.task(persist_result=True, cache_policy=prefect.cache_policies.NO_CACHE)
def echo(amount: int, step: str) -> int:
    """The remote work: none, so that the system is what is measured. step: makes each call one of its own, which no cache can answer."""
    return amount


@prefect.flow(log_prints=False)
def remote3(name: str) -> int:
    amount = 42
    for number in range(3):
        amount = echo.delay(amount, f"{name}-{number}").result(timeout=RESULT_S)
    return amount


@prefect.flow(log_prints=False)
def fanout100(name: str) -> int:
    futures = [echo.delay(number, f"{name}-{number}") for number in range(100)]
    return sum(future.result(timeout=RESULT_S) for future in futures)


@prefect.flow(log_prints=False)
def local3(name: str) -> int:
    amount = 42
    for number in range(3):
        amount = echo(amount, f"{name}-{number}")
    return amount


@prefect.flow(log_prints=False)
def local100(name: str) -> int:
    futures = [echo.submit(number, f"{name}-{number}") for number in range(100)]
    wait(futures)
    return sum(future.result() for future in futures)


@prefect.flow(log_prints=False)
def rest(name: str) -> Any:
    RESTING[name].announce(UUID(flow_run.id))
    return next(receive_input(bool, timeout=RESULT_S, poll_interval=INPUT_POLL_S))


class Resting:
    """A flow that a signal is for; known by its id once it runs."""

    def __init__(self) -> None:
        self._known = Event()
        self.flow_run_id: UUID | None = None

    def announce(self, flow_run_id: UUID) -> None:
        """The flow runs."""
        self.flow_run_id = flow_run_id
        self._known.set()

    def signal(self) -> None:
        """Bring the signal once the flow runs."""
        if not self._known.wait(RESULT_S) or self.flow_run_id is None:
            raise TimeoutError("the flow did not begin")
        send_input(True, flow_run_id=self.flow_run_id)


FLOWS = {"remote3": remote3, "fanout100": fanout100, "local3": local3, "local100": local100, "signal": rest}
RESTING: dict[str, Resting] = {}


async def flows() -> None:
    loop = asyncio.get_running_loop()
    running, signalling = ThreadPoolExecutor(FLOWS_AT_ONCE), ThreadPoolExecutor(FLOWS_AT_ONCE)

    async def handle(verb: str, workload: str, name: str) -> None:
        if verb == "signal":
            await loop.run_in_executor(signalling, RESTING[name.rstrip("!")].signal)
            return
        if workload == "signal":
            RESTING[name] = Resting()
        await loop.run_in_executor(running, FLOWS[workload.removesuffix("_single")], name)
        RESTING.pop(name, None)

    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    door = await frontdoor.serve(port("flows"), handle)
    say_ready()
    await ended.wait()
    door.close()


def main() -> None:
    if sys.argv[1] == "flows":
        asyncio.run(flows())
    else:
        say_ready()
        prefect.task_worker.serve(echo, limit=STEPS_AT_ONCE)


if __name__ == "__main__":
    main()
