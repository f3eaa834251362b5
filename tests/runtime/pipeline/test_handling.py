"""What is heard takes effect once, with what is said of it, whatever its neighbours do."""

from datetime import timedelta

import pytest
from weft_contracts import catalog
from weft_contracts.envelope import Item
from weft_contracts.message import Message
from weft_contracts.tasks import TaskCreated
from weft_runtime.testing import ears, packed

from tests.runtime.pipeline.conftest import Started
from tests.runtime.pipeline.room import completed, create


async def test_a_word_takes_effect_and_what_is_said_of_it_is_heard(running: Started) -> None:
    async with ears(running.service.context.bus) as listener:
        (item,) = packed(create("one"), traceparent="00-" + "ab" * 16 + "-" + "cd" * 8 + "-00")
        await running.pipeline.hear([item])
        (said,) = await listener.items(1)
    assert await running.titles() == ["one"]
    word = catalog.read(said)
    assert isinstance(word, TaskCreated)
    assert (said.source, said.tenantid, said.subject, said.traceparent) == ("weft/sample", "acme", str(word.execution_id), item.traceparent)


async def test_the_same_item_told_again_changes_nothing(running: Started) -> None:
    items = await tell(running, create("one"), create("two"))
    await running.pipeline.hear([items[1], items[0], items[1]])
    assert await running.titles() == ["one", "two"]


async def test_the_same_item_twice_in_one_frame_counts_once(running: Started) -> None:
    (item,) = packed(create("one"))
    await running.pipeline.hear([item, item])
    assert running.room.calls == ["one"]


@pytest.mark.parametrize("bad", ["invalid", "conflict", "missing", "busy", "bug", "sql", "nul", "commit"])
async def test_a_failing_item_takes_no_neighbour_down_and_says_nothing(running: Started, bad: str) -> None:
    async with ears(running.service.context.bus) as listener:
        await tell(running, create("one"), create(bad), create("two"))
        said = await listener.said(2)
    assert await running.titles() == ["one", "two"]
    assert [word.title for word in said if isinstance(word, TaskCreated)] == ["one", "two"]
    (parked,) = await running.parked()
    assert (parked.type, parked.tenant_id, parked.attempts) == ("task.create", "acme", 1)


@pytest.mark.parametrize(
    ("title", "code", "status"),
    [
        ("invalid", "title_invalid", "parked"),
        ("conflict", "already_so", "parked"),
        ("nul", "value_refused", "parked"),
        ("missing", "cause_missing", "retrying"),
        ("busy", "provider_away", "retrying"),
        ("bug", "internal_error", "retrying"),
        ("commit", "internal_error", "retrying"),
    ],
)
async def test_the_kind_of_the_error_decides_what_becomes_of_the_item(running: Started, title: str, code: str, status: str) -> None:
    await tell(running, create(title))
    (parked,) = await running.parked()
    assert (parked.code, parked.status, parked.next_at is None) == (code, status, status == "parked")


async def test_a_lost_race_is_run_again_at_once(running: Started) -> None:
    running.room.stale_left = 3
    await tell(running, create("stale"))
    assert await running.titles() == ["stale"]
    assert await running.parked() == []


async def test_a_race_lost_again_and_again_is_retried_later(running: Started) -> None:
    running.room.stale_left = 99
    await tell(running, create("stale"))
    (parked,) = await running.parked()
    assert (parked.code, parked.status) == ("stale_write", "retrying")


async def test_an_item_whose_cause_was_on_the_way_takes_effect_once_on_a_later_try(running: Started) -> None:
    async with ears(running.service.context.bus) as listener:
        items = await tell(running, create("missing"))
        running.room.broken = False
        running.service.clock.advance(timedelta(seconds=1))
        assert await running.pipeline.retry_due() == 1
        assert len(await listener.said(1)) == 1
    await running.pipeline.hear(items)
    assert (await running.titles(), await running.parked()) == (["missing"], [])


async def test_a_bug_is_tried_a_few_times_then_left_to_a_person_and_counted(running: Started) -> None:
    await tell(running, create("bug"))
    for _ in range(10):
        running.service.clock.advance(timedelta(minutes=2))
        await running.pipeline.retry_due()
    (parked,) = await running.parked()
    assert (parked.status, parked.attempts, parked.reason) == ("parked", 4, "RuntimeError: oops")
    metrics = running.service.context.metrics.exposition().decode()
    assert 'weft_internal_errors_total{door="message",service="sample"} 4.0' in metrics
    assert await running.titles() == []


async def test_a_batch_is_one_call_and_its_culprit_is_found_by_halving(running: Started) -> None:
    outcomes = [f"good{number}" for number in range(7)]
    await tell(running, *(completed(outcome) for outcome in outcomes))
    assert running.room.groups == [7]
    await tell(running, *(completed(outcome) for outcome in ("a", "b", "poison", "c", "d")))
    assert await running.titles() == sorted([*outcomes, "a", "b", "c", "d"])
    (parked,) = await running.parked()
    assert parked.code == "poison"


async def test_what_a_retry_does_is_undone_when_it_fails_again(running: Started) -> None:
    await tell(running, create("missing"))
    running.service.clock.advance(timedelta(seconds=1))
    assert await running.pipeline.retry_due() == 1
    (parked,) = await running.parked()
    assert (parked.attempts, await running.titles()) == (2, [])
    assert await running.rows("SELECT 1 FROM sample.outbox") == []


async def tell(running: Started, *messages: Message) -> list[Item]:
    items = packed(*messages)
    await running.pipeline.hear(items)
    return items
