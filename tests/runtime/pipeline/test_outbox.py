"""What is said with a change is said for certain: at once where the broker answers, by the sweeper where it did not."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import sqlalchemy as sa
from weft_contracts import catalog, routing
from weft_contracts.activities import ActivityCompleted
from weft_contracts.frames import MAX_FRAME_ITEMS, decode_frame
from weft_contracts.tasks import CancelTask, TaskReleased
from weft_contracts.waits import CompleteStep
from weft_runtime.clock import new_id
from weft_runtime.errors import Unavailable
from weft_runtime.pipeline.words import Outgoing, frames, outgoing, route
from weft_runtime.testing import ears, packed
from weft_runtime.uow import Saying

from tests.runtime.bus.promises import until
from tests.runtime.pipeline.conftest import Started, Starter
from tests.runtime.pipeline.room import EXECUTION, create

TASK = UUID(int=7)


@pytest.fixture
async def running(start: Starter) -> AsyncIterator[Started]:
    async with start() as started:
        yield started


def test_each_class_of_word_has_its_way() -> None:
    released = TaskReleased(task_id=TASK, execution_id=EXECUTION, workflow="w", node="n", task_version=1, at="2026-01-05T09:00:00Z")
    step = CompleteStep(execution_id=EXECUTION, node="n", visit=1, outcome="done")
    answer = ActivityCompleted(execution_id=EXECUTION, node="n", visit=1, attempt=1)
    partition = f"engine.p.{routing.partition_of(EXECUTION, 8)}"
    assert route(Saying(released, "acme"), 8) == ("weft.events", "acme.task.released")
    assert route(Saying(CancelTask(task_id=TASK, execution_id=EXECUTION), "acme"), 8) == ("weft.commands", "tasks.inbox")
    assert route(Saying(step, "acme"), 8) == ("weft.commands", partition)
    assert route(Saying(answer, "acme"), 8) == ("weft.commands", partition)
    assert route(Saying(answer, "acme", replyto="engine.p.5"), 8) == ("weft.commands", "engine.p.5")


def test_items_of_one_way_share_frames_in_order_and_within_the_limits() -> None:
    rows = [Outgoing(new_id(), "e", f"k{number % 2}", b'{"n":%d}' % number) for number in range(2 * MAX_FRAME_ITEMS + 4)]
    framed = frames(rows)
    assert [len(ids) for _, ids in framed] == [MAX_FRAME_ITEMS, 2, MAX_FRAME_ITEMS, 2]
    for frame, ids in framed:
        mine = [row for row in rows if row.routing_key == frame.routing_key]
        assert [row.id for row in mine if row.id in set(ids)] == ids
        assert frame.body == b"[" + b",".join(row.item for row in rows if row.id in set(ids)) + b"]"


def test_a_frame_holds_what_was_said_whole() -> None:
    saying = Saying(CancelTask(task_id=TASK, execution_id=EXECUTION), "acme")
    row = outgoing(saying, room="sample", partitions=8, traceparent=None)
    ((frame, _),) = frames([row])
    (item,) = decode_frame(frame.body)
    assert catalog.read(item) == saying.message
    assert (item.source, item.tenantid, item.subject, item.id) == ("weft/sample", "acme", str(EXECUTION), str(row.id))


async def rows_left(running: Started) -> int:
    return len(await running.rows("SELECT 1 FROM sample.outbox"))


async def none_left(running: Started) -> bool:
    return await rows_left(running) == 0


async def test_sent_rows_are_forgotten(running: Started) -> None:
    async with ears(running.service.context.bus) as listener:
        await running.pipeline.hear(packed(create("one"), create("two")))
        await listener.items(2)
        await until(lambda: none_left(running))


async def test_what_a_crash_left_unsent_the_sweeper_sends_once(running: Started) -> None:
    outbox = running.service.host.outbox
    saying = Saying(CancelTask(task_id=TASK, execution_id=EXECUTION), "acme")
    rows = [outgoing(saying, room="sample", partitions=8, traceparent=None) for _ in range(3)]
    async with running.service.context.database.owner_transaction() as connection:
        await outbox._rows.insert(connection, rows)
    async with ears(running.service.context.bus) as listener:
        assert await outbox.sweep(older_s=0) == 3
        assert [item.id for item in await listener.items(3)] == [str(row.id) for row in rows]
    assert await rows_left(running) == 0


async def test_while_the_broker_is_away_words_wait_in_the_outbox(start: Starter, broker_url: str) -> None:
    async with start(broker_url) as running:
        bus = running.service.context.bus
        outbox = running.service.host.outbox
        async with ears(bus) as listener:
            bus._publisher._channel = None  # type: ignore[attr-defined]
            with pytest.raises(Unavailable):
                await bus.publish([frames([Outgoing(new_id(), "weft.commands", "tasks.inbox", b"{}")])[0][0]])
            await running.pipeline.hear(packed(create("said")))
            await outbox.settled()
            await until(lambda: swept(running))
            (item,) = await listener.items(1)
            assert item.type == "task.created"
        assert await rows_left(running) == 0


async def swept(running: Started) -> bool:
    try:
        return await running.service.host.outbox.sweep(older_s=0) == 1 or await rows_left(running) == 0
    except Unavailable:
        return False


async def test_an_event_nobody_hears_is_dropped_after_a_minute_and_a_command_never(running: Started) -> None:
    await running.pipeline.hear(packed(create("unheard")))
    outbox = running.service.host.outbox
    saying = Saying(CancelTask(task_id=TASK, execution_id=EXECUTION), "acme")
    async with running.service.context.database.owner_transaction() as connection:
        await outbox._rows.insert(connection, [outgoing(saying, room="sample", partitions=8, traceparent=None)])
    await outbox.settled()
    assert await outbox.sweep(older_s=0) == 0
    assert await rows_left(running) == 2
    async with running.service.context.database.owner_transaction() as connection:
        await connection.execute(sa.text("UPDATE sample.outbox SET written_at = written_at - interval '2 minutes'"))
    assert await outbox.sweep(older_s=0) == 0
    await until(lambda: only_commands_left(running))  # the room's own sweeper may have come first, and be at it still


async def only_commands_left(running: Started) -> bool:
    left = await running.rows("SELECT exchange FROM sample.outbox")
    assert "weft.commands" in [row.exchange for row in left]
    return [row.exchange for row in left] == ["weft.commands"]


async def test_the_api_role_can_write_what_it_says_but_not_read_what_others_said(running: Started) -> None:
    context = running.service.context
    async with context.transaction("acme") as uow:
        uow.say(CancelTask(task_id=TASK, execution_id=EXECUTION))
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        async with context.database.transaction("acme") as connection:
            await connection.execute(sa.text("SELECT * FROM sample.outbox"))
