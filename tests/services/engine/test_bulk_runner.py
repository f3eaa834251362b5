"""The runner of bulk jobs without an engine that answers: what it sends, how fast, and what is left when it dies."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from weft_contracts.message import PartitionCommand
from weft_engine import store
from weft_engine.app import build
from weft_engine.bulk.running import BULK, next_status, read, room
from weft_engine.bulk.verbs import VERBS, Asked, answer_id
from weft_engine.campaigns import ANSWER_S, look, results
from weft_engine.store import bulk as bulk_store
from weft_runtime.testing import ManualClock, eventually, running_service, said


async def test_a_job_whose_runner_died_goes_on_where_it_was(database_url: str) -> None:
    async with running_service(build, database_url) as service:
        for task in service.host._tasks:
            task.cancel()
        await asyncio.gather(*service.host._tasks, return_exceptions=True)
        client = service.client("lonely")
        ids = [str(uuid4()) for _ in range(3)]
        async with service.context.transaction("lonely") as uow:
            for id_ in ids:
                await store.queue(uow, UUID(id_), "w", 1, 0, None, {})
        job = (await client.post("/api/v1/executions/bulk", json={"verb": "cancel", "filter": {"ids": ids}, "rate_per_s": 5000})).json()

        class Killed(Exception):
            """The process ends here."""

        original = bulk_store.advance

        async def dies(*given: Any, **more: Any) -> None:
            await original(*given, **more)
            raise Killed

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bulk_store, "advance", dies)
            with pytest.raises(Killed):
                await look(BULK, service.context)
        assert said(service, PartitionCommand) == []
        assert (await client.get(f"/api/v1/bulk/{job['id']}")).json()["progress"] == {"waiting": 3, "sent": 0, "ok": 0, "refused": 0}
        assert await look(BULK, service.context) == 0.0
        assert {getattr(one, "answer_id", None) for one in said(service, PartitionCommand)} == {
            answer_id(UUID(job["id"]), UUID(id_)) for id_ in ids
        }
        service.clock.advance(timedelta(seconds=ANSWER_S + 1))

        async def ended() -> Any:
            await look(BULK, service.context)
            shown = (await service.client("lonely").get(f"/api/v1/bulk/{job['id']}")).json()
            return shown if shown["status"] == "completed" else None

        done = await eventually(ended, "the end of a job that nobody answers")
        assert done["progress"] == {"waiting": 0, "sent": 0, "ok": 0, "refused": 3}
        assert len(said(service, PartitionCommand)) == 3


def test_every_verb_gives_a_stable_command() -> None:
    options: dict[str, dict[str, Any]] = {"signal": {"name": "go"}}
    for name, verb in VERBS.items():
        asked = Asked(UUID(int=1), UUID(int=2), "because", {"id": "ann"}, options.get(name, {}))
        assert verb.command(asked) == verb.command(asked), name
        assert verb.command(asked).answer_id == answer_id(UUID(int=1), UUID(int=2)), name
        assert verb.statuses, name


def test_a_job_sends_no_faster_than_its_rate_and_keeps_few_in_flight() -> None:
    assert room("running", 0, 0.5, 100) == 50
    assert room("running", 0, 3600.0, 100) == 100
    assert room("running", 150, 1.0, 5000) == 50
    assert room("stopping", 0, 1.0, 100) == 0


def test_a_job_ends_when_nothing_is_open() -> None:
    assert [next_status("running", done=done, open_=open_) for done, open_ in ((True, 0), (True, 1), (False, 0))] == [
        "completed",
        "running",
        "running",
    ]
    assert [next_status("stopping", done=done, open_=0) for done in (True, False)] == ["completed", "stopped"]


def test_an_item_without_an_answer_stays_open_for_a_while() -> None:
    sent_at = ManualClock().now()
    item = SimpleNamespace(number=7, execution_id=UUID(int=2), sent_at=sent_at)
    assert results(read(UUID(int=1)), [item], {}, sent_at + timedelta(seconds=5)) == []
    (given_up,) = results(read(UUID(int=1)), [item], {}, sent_at + timedelta(seconds=ANSWER_S + 1))
    assert (given_up.number, given_up.status, given_up.code) == (7, "refused", "no_answer")
