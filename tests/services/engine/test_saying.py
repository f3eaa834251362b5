"""What commits have to say reaches the broker, and the broker is asked no more than it has to be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from weft_contracts import routing
from weft_contracts.executions import CancelExecution
from weft_engine.core.messages import Outgoing
from weft_engine.hotloop.owned import Owned
from weft_engine.hotloop.publisher import Publisher
from weft_runtime.bus import open_bus
from weft_runtime.bus.topology import Topology
from weft_runtime.clock import new_id
from weft_runtime.testing.messages import packed

COMMITS = 40


def counted(declare: Callable[[Topology], Awaitable[None]], asked: list[str]) -> Callable[[Topology], Awaitable[None]]:
    """The same, which also tells what it was asked for."""

    async def declared(topology: Topology) -> None:
        asked.extend(queue.name for queue in topology.queues if not queue.name.endswith(".dead"))
        await declare(topology)

    return declared


async def test_a_queue_that_many_commits_need_is_asked_for_once(broker_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bus = open_bus(broker_url, name="saying")
    await bus.start()
    asked: list[str] = []
    monkeypatch.setattr(bus, "declare", counted(bus.declare, asked))
    publisher, owned, queue = Publisher(bus), Owned(0, 1, 0, 0), routing.work_queue("saying")
    for seq in range(1, COMMITS + 1):
        (item,) = packed(CancelExecution(execution_id=new_id()))
        publisher.say([Outgoing(routing.WORK, queue, item, 100)], [(owned, owned.sending(seq))])
    await publisher.settle(60)
    assert (owned.published, await bus.depth(queue)) == (COMMITS, COMMITS)
    assert asked == [queue]
    await bus.close()
