"""An ordinary room whose process dies, as by kill -9, at each point between two durable things; another process of it stays."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from uuid import uuid4

import pytest
from weft_contracts.tasks import CreateTask

from tests.faults.mesh import Node
from tests.faults.rooms import Rooms, rooms_of, words


@dataclass
class Pair:
    """The room, and the process of it that stays."""

    rooms: Rooms
    heir: Node


@pytest.fixture(scope="module")
async def pair(database_url: str, broker_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pair]:
    """A room with one process that no test kills."""
    async with rooms_of(database_url, broker_url, tmp_path_factory.mktemp("rooms")) as rooms:
        yield Pair(rooms, await rooms.start())


async def notes_of(rooms: Rooms, number: int) -> list[str]:
    """The notes of one request."""
    return [
        str(row["id"])
        for row in await rooms.rows("SELECT id FROM sample.notes WHERE data @> jsonb_build_object('number', $1::int)", number)
    ]


async def assert_each_word_took_effect_once(rooms: Rooms, told: Iterable[CreateTask]) -> None:
    """A note for each word, and for each note one fact, however often it was heard."""
    titles = {word.title: str(word.task_id) for word in told}

    async def found() -> list[str]:
        return [row["title"] for row in await rooms.rows("SELECT title FROM sample.notes WHERE title = ANY($1)", sorted(titles))]

    async def complete() -> bool:
        return set(await found()) == titles.keys()

    await rooms.until(complete, "each word taking effect")
    await rooms.quiet()
    assert sorted(await found()) == sorted(titles)
    assert [task for task in titles.values() if ("task.created", task) not in rooms.said] == []
    assert_each_fact_has_one_id(rooms)


def assert_is_said(rooms: Rooms, note: str, times: int = 1) -> None:
    """That a note was made is said so often, and under one id. More often where the machine is busy: what is not forgotten within the
    second that a row may be old here is taken for left behind, and said again."""
    assert len(rooms.said["task.claimed", note]) >= times
    assert_each_fact_has_one_id(rooms)


def assert_each_fact_has_one_id(rooms: Rooms) -> None:
    """What was said again has the id it had, by which its hearers know it."""
    assert {thing: ids for thing, ids in rooms.said.items() if len(set(ids)) != 1} == {}


async def test_a_request_whose_process_dies_before_its_commit_has_left_nothing_and_is_asked_again(pair: Pair) -> None:
    rooms, key = pair.rooms, uuid4().hex
    victim = await rooms.start(FAULT_AT="before_commit")
    assert await rooms.ask(victim, 1, key) is None
    await victim.died()
    assert await notes_of(rooms, 1) == []
    again = await rooms.ask(pair.heir, 1, key)
    assert again is not None
    assert (again.status_code, "idempotent-replayed" in again.headers) == (201, False)
    await rooms.quiet()
    assert await notes_of(rooms, 1) == [again.json()["id"]]
    assert_is_said(rooms, again.json()["id"])


async def test_a_request_whose_process_dies_after_its_commit_gets_its_first_answer_when_it_is_asked_again(pair: Pair) -> None:
    rooms, key = pair.rooms, uuid4().hex
    victim = await rooms.start(FAULT_AT="after_commit")
    assert await rooms.ask(victim, 2, key) is None
    await victim.died()
    (made,) = await notes_of(rooms, 2)
    again = await rooms.ask(pair.heir, 2, key)
    assert again is not None
    assert (again.status_code, again.headers["idempotent-replayed"], again.json()["id"]) == (201, "true", made)
    await rooms.quiet()
    assert await notes_of(rooms, 2) == [made]
    assert_is_said(rooms, made)  # by the sweeper of the other process


@pytest.mark.parametrize(("point", "number", "heard"), [("before_publish", 3, 1), ("before_forget", 4, 2)])
async def test_what_a_request_had_to_say_is_said_under_one_id(pair: Pair, point: str, number: int, heard: int) -> None:
    rooms = pair.rooms
    victim = await rooms.start(FAULT_AT=point)
    await rooms.ask(victim, number, uuid4().hex)
    await victim.died()
    (made,) = await notes_of(rooms, number)
    await rooms.quiet()
    assert_is_said(rooms, made, heard)


@pytest.mark.parametrize("point", ["before_commit", "before_ack"])
async def test_words_in_hand_take_effect_once(pair: Pair, point: str) -> None:
    rooms = pair.rooms
    victim = await rooms.start(FAULT_AT=point)
    frames = [words(3) for _ in range(20)]
    await rooms.tell(*frames)
    await victim.died()
    await assert_each_word_took_effect_once(rooms, (word for frame in frames for word in frame))
    assert pair.heir.alive


async def test_a_batch_with_a_culprit_is_bisected_to_its_end_by_whoever_comes_next(pair: Pair) -> None:
    rooms = pair.rooms
    victim = await rooms.start(FAULT_AT="bisecting", FAULT_AFTER="2")
    frames = [words(4, "commit") for _ in range(8)]
    await rooms.tell(*frames)
    await victim.died()
    await assert_each_word_took_effect_once(rooms, (word for frame in frames for word in frame if word.title != "commit"))
    await assert_each_is_parked_once(rooms, (word for frame in frames for word in frame if word.title == "commit"))


async def test_a_culprit_is_parked_once(pair: Pair) -> None:
    rooms = pair.rooms
    victim = await rooms.start(FAULT_AT="before_ack")
    frames = [words(1, "invalid") for _ in range(8)]
    await rooms.tell(*frames)
    await victim.died()
    await assert_each_word_took_effect_once(rooms, (word for frame in frames for word in frame if word.title != "invalid"))
    await assert_each_is_parked_once(rooms, (word for frame in frames for word in frame if word.title == "invalid"))


async def assert_each_is_parked_once(rooms: Rooms, told: Iterable[CreateTask]) -> None:
    """Each of these words is parked: at last, since one may be in hand when its neighbours have taken effect, and not twice."""
    culprits = {str(word.task_id) for word in told}

    async def parked() -> bool:
        return set(await parked_tasks(rooms, culprits)) == culprits

    await rooms.until(parked, "each culprit being parked")
    assert sorted(await parked_tasks(rooms, culprits)) == sorted(culprits)


async def parked_tasks(rooms: Rooms, tasks: set[str]) -> list[str]:
    """The tasks, of these, of which a word is parked; once for each time."""
    found = await rooms.rows("SELECT convert_from(body, 'UTF8')::jsonb #>> '{data,task_id}' AS task FROM sample.parked")
    return [row["task"] for row in found if row["task"] in tasks]


async def test_a_request_whose_commit_was_done_and_reported_as_failed_gets_its_first_answer(pair: Pair) -> None:
    rooms, key = pair.rooms, uuid4().hex
    doubting = await rooms.start(FAULT_AT="commit_in_doubt")
    refused = await rooms.ask(doubting, 9, key)
    assert refused is not None
    assert (refused.status_code, refused.json()["code"]) == (503, "database_unavailable")
    (made,) = await notes_of(rooms, 9)
    again = await rooms.ask(doubting, 9, key)
    assert again is not None
    assert (again.status_code, again.headers["idempotent-replayed"], again.json()["id"]) == (201, "true", made)
    await rooms.quiet()
    assert_is_said(rooms, made)
    await doubting.kill()


@pytest.mark.parametrize("point", ["commit_in_doubt", "publish_in_doubt"])
async def test_words_whose_outcome_is_reported_as_failed_take_effect_once(pair: Pair, point: str) -> None:
    rooms = pair.rooms
    doubting = await rooms.start(FAULT_AT=point)
    before = len(rooms.said)
    frames = [words(3) for _ in range(20)]
    await rooms.tell(*frames)
    await assert_each_word_took_effect_once(rooms, (word for frame in frames for word in frame))
    assert len(rooms.said) == before + 60
    if point == "publish_in_doubt":
        mine = [ids for (_, task), ids in rooms.said.items() if task in {str(word.task_id) for frame in frames for word in frame}]
        assert max(map(len, mine)) > 1, "it was published again"
    assert doubting.alive
    await doubting.kill()
