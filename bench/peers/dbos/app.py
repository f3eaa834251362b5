"""Both processes: `python -m bench.peers.dbos.app flows` starts what the door asks for, `... steps` takes steps from the queue."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Any

import uvloop
from dbos import DBOS, DBOSConfig, Queue, SetWorkflowID

from bench.peers.frontdoor import serve
from bench.peers.peer import database_url, port, say_ready

QUEUE = "steps"
# A queue is polled (default 1 s): often where one waits, seldom where many do, since each look takes CPU and finds more the later it comes.
QUEUE_POLL_S = {"remote3": 0.02, "remote3_single": 0.003, "fanout100": 0.02, "fanout100_single": 0.01}
# Not 1 s: a shorter interval is approached by a tenth a look.
IDLE_POLL_S = 0.05
# A flow polls for the result of a step in another process (default 1 s): often where one waits, seldom where many do.
POLL_S = {"remote3": 0.05, "remote3_single": 0.002, "fanout100": 0.02, "fanout100_single": 0.005}


@DBOS.workflow()
async def echo(amount: int) -> int:
    """The remote work: none, so that the system is what is measured."""
    return amount


@DBOS.step()
async def local_echo(amount: int) -> int:
    return amount


@DBOS.workflow()
async def remote3(amount: int, poll_s: float) -> int:
    for _ in range(3):
        handle = await DBOS.enqueue_workflow_async(QUEUE, echo, amount)
        amount = await handle.get_result(polling_interval_sec=poll_s)
    return amount


@DBOS.workflow()
async def fanout100(amount: int, poll_s: float) -> int:
    handles = [await DBOS.enqueue_workflow_async(QUEUE, echo, number) for number in range(100)]
    return sum([await handle.get_result(polling_interval_sec=poll_s) for handle in handles])


@DBOS.workflow()
async def local3(amount: int, poll_s: float) -> int:
    for _ in range(3):
        amount = await local_echo(amount)
    return amount


@DBOS.workflow()
async def local100(amount: int, poll_s: float) -> int:
    return sum(await asyncio.gather(*[local_echo(number) for number in range(100)]))


@DBOS.workflow()
async def rest(amount: int, poll_s: float) -> Any:
    return await DBOS.recv_async("go", timeout_seconds=60)


FLOWS = {"remote3": remote3, "fanout100": fanout100, "local3": local3, "local100": local100, "signal": rest}


class Door:
    """What is asked for from outside. A signal waits until its workflow is stored, which is when it may be sent."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._workload = ""
        self._stored: dict[str, asyncio.Event] = {}

    async def handle(self, verb: str, workload: str, name: str) -> None:
        """Run a flow to its end, or bring it a signal."""
        if workload != self._workload:
            self._workload = workload
            await self._queue.set_polling_interval_sec_async(QUEUE_POLL_S.get(workload, IDLE_POLL_S))
        workflow_id = name.rstrip("!")
        stored = self._stored.setdefault(workflow_id, asyncio.Event())
        if verb == "signal":
            await stored.wait()
            del self._stored[workflow_id]
            await DBOS.send_async(workflow_id, {"yes": True}, "go")
            return
        with SetWorkflowID(workflow_id):
            handle = await DBOS.start_workflow_async(FLOWS[workload.removesuffix("_single")], 42, POLL_S.get(workload, 0.05))
        stored.set()
        if workload != "signal":
            del self._stored[workflow_id]
        await handle.get_result()


def configuration(role: str) -> DBOSConfig:
    """psycopg is what DBOS is written for; the pool is as wide as its threads, since a flow holds a connection only within a call."""
    return {
        "name": "bench-peer",
        "system_database_url": database_url().replace("postgresql://", "postgresql+psycopg://").replace("/postgres", "/dbos_bench"),
        "sys_db_pool_size": 32,
        "max_executor_threads": 32,
        "application_version": "bench",
        "executor_id": role,
        "log_level": "WARNING",
        "enable_otlp": False,
    }


async def main() -> None:
    role = sys.argv[1]
    DBOS(config=configuration(role))
    DBOS.listen_queues([QUEUE] if role == "steps" else [])
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await asyncio.to_thread(DBOS.launch)
    queue = await DBOS.register_queue_async(QUEUE, polling_interval_sec=IDLE_POLL_S, on_conflict="never_update")
    door = await serve(port("flows"), Door(queue).handle) if role == "flows" else None
    say_ready()
    await ended.wait()
    if door:
        door.close()
    await asyncio.to_thread(DBOS.destroy)


if __name__ == "__main__":
    uvloop.run(main())
