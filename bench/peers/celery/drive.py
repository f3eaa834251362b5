"""Publishes chains and groups, and takes the results from a quorum queue of its own.

`AsyncResult.get` gives one result at a time to one thread; one consumer for all of them is what many open executions need.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from celery import chain, group, uuid
from kombu import Connection, Consumer, Queue

from bench.peers.celery.tasks import ENDS, QUORUM, last, step
from bench.peers.driving import Ends, drive
from bench.peers.peer import broker_url

# Each waits for RabbitMQ's confirm.
PUBLISHERS = 8
RESULTS = Queue(ENDS, routing_key=ENDS, queue_arguments=QUORUM)


class Results:
    """Hears results in a thread and tells the loop of them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.ends = Ends()
        self._loop = loop
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._listening = threading.Event()

    def start(self) -> None:
        """Returns when results can come."""
        self._thread.start()
        self._listening.wait(30)

    def stop(self) -> None:
        """Hear no more."""
        self._over.set()
        self._thread.join(10)

    def _listen(self) -> None:
        with (
            Connection(broker_url()) as connection,
            Consumer(connection, [RESULTS], callbacks=[self._heard], prefetch_count=500, accept=["json"]),
        ):
            self._listening.set()
            while not self._over.is_set():
                try:
                    connection.drain_events(timeout=1)
                except TimeoutError:
                    continue

    def _heard(self, body: Any, message: Any) -> None:
        self._loop.call_soon_threadsafe(self.ends.ended, body["task_id"])
        message.ack()


async def main() -> None:
    loop = asyncio.get_running_loop()
    results = Results(loop)
    results.start()
    publishing = ThreadPoolExecutor(PUBLISHERS)

    async def execute(workload: str) -> None:
        if workload.startswith("remote3"):
            tasks = [last.s().set(task_id=uuid(), reply_to=ENDS)]
            work = chain(step.s(42), step.s(), *tasks)
        else:
            tasks = [last.s(number).set(task_id=uuid(), reply_to=ENDS) for number in range(100)]
            work = group(tasks)
        ended = [results.ends.expect(task.options["task_id"]) for task in tasks]
        await loop.run_in_executor(publishing, work.apply_async)
        await asyncio.gather(*ended)

    await drive(execute)
    results.stop()
    publishing.shutdown(wait=False)


if __name__ == "__main__":
    asyncio.run(main())
