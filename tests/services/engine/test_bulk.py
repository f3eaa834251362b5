"""One verb on many executions, as a job, on real PostgreSQL and RabbitMQ."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from weft_runtime.database import check
from weft_runtime.testing import eventually

from tests.services.engine.conftest import Engine

STATE = [{"id": "s", "type": "state", "with": {"signals": {"go": {}}}}]


async def resting(engine: Engine, slug: str, count: int, **body: Any) -> list[str]:
    """So many executions of a workflow, each waiting for the signal `go`."""
    await engine.publish(slug, nodes=STATE, output={"x": "{{ step.s.output.x }}"}, labels={"made": "here"})
    started = await asyncio.gather(*(engine.start(slug, **body) for _ in range(count)))
    for one in started:
        await engine.waiting(one)
    return started


async def bulk(engine: Engine, verb: str, filter: dict[str, Any], **more: Any) -> Any:
    answer = await engine.client.post("/api/v1/executions/bulk", json={"verb": verb, "filter": filter, **more})
    assert answer.status_code in (200, 202), answer.text
    return answer.json()


async def finished(engine: Engine, job: Any) -> Any:
    """The job once it has ended."""

    async def looked() -> Any:
        shown = (await engine.client.get(f"/api/v1/bulk/{job['id']}")).json()
        return shown if shown["status"] in ("completed", "stopped") else None

    return await eventually(looked, f"the end of bulk job {job['id']}")


async def items(engine: Engine, job: Any, **query: Any) -> Any:
    return (await engine.client.get(f"/api/v1/bulk/{job['id']}/items", params=query)).json()["items"]


async def statuses(engine: Engine, ids: Sequence[str]) -> list[str]:
    return [(await engine.get(one))["status"] for one in ids]


async def test_tables_and_migrations_agree(engine: Engine) -> None:
    url = engine.service.context.settings.database_url.get_secret_value()
    assert await check(url, "weft_engine", "engine") == []


async def test_a_preview_counts_and_shows_and_changes_nothing(engine: Engine) -> None:
    started = await resting(engine, "previewed", 3)
    shown = await bulk(engine, "cancel", {"workflow": "previewed"}, preview=True)
    assert (shown["total"], shown["by_status"]) == (3, {"waiting": 3})
    assert {one["id"] for one in shown["sample"]} == set(started)
    assert await statuses(engine, started) == ["waiting"] * 3


async def test_cancelling_by_workflow_answers_for_each(engine: Engine) -> None:
    started = await resting(engine, "many", 5)
    (other,) = await resting(engine, "spared", 1)
    job = await bulk(engine, "cancel", {"workflow": "many"}, reason="a wrong price")
    assert (job["total"], job["allowed_actions"]) == (5, ["stop"])
    done = await finished(engine, job)
    assert (done["status"], done["progress"]) == ("completed", {"waiting": 0, "sent": 0, "ok": 5, "refused": 0})
    assert await statuses(engine, [*started, other]) == ["cancelled"] * 5 + ["waiting"]
    assert {item["execution_id"] for item in await items(engine, job, status="ok,refused")} == set(started)
    assert done["items"] == await items(engine, job)
    history = (await engine.client.get(f"/api/v1/executions/{started[0]}/history")).json()["items"]
    assert history[-1]["data"]["reason"] == "a wrong price"


async def test_what_is_refused_says_why(engine: Engine) -> None:
    started = await resting(engine, "twice", 2)
    nobody = str(uuid4())
    await finished(engine, await bulk(engine, "cancel", {"ids": started[:1]}))
    done = await finished(engine, await bulk(engine, "cancel", {"ids": [*started, nobody]}))
    assert done["progress"] == {"waiting": 0, "sent": 0, "ok": 1, "refused": 2}
    refused = {item["execution_id"]: (item["code"], item["detail"]) for item in await items(engine, done, status="refused")}
    assert refused[started[0]] == ("execution_ended", f"execution {started[0]} is cancelled and cannot be cancelled any more")
    assert refused[nobody] == ("execution_not_found", f"no execution {nobody} in this tenant")


async def test_pausing_resuming_and_signalling_by_key_label_version_text_and_time(engine: Engine) -> None:
    one, two = [(await resting(engine, "filtered", 1, key=key, labels={"team": team}))[0] for key, team in (("k-1", "a"), ("k-2", "b"))]
    await finished(engine, await bulk(engine, "pause", {"key": "k-1", "version": 1}))
    assert await statuses(engine, [one, two]) == ["paused", "waiting"]
    await finished(engine, await bulk(engine, "resume", {"label": {"team": "a", "made": "here"}}))
    await engine.waiting(one)
    now = engine.service.clock.now()
    early, late = {"to": (now - timedelta(days=1)).isoformat()}, {"from": (now - timedelta(days=1)).isoformat(), "q": "k-"}
    assert (await bulk(engine, "signal", early, options={"name": "go"}, preview=True))["total"] == 0
    job = await finished(engine, await bulk(engine, "signal", late, options={"name": "go", "payload": {"x": 1}}))
    assert {item["code"] for item in await items(engine, job)} == {"delivered"}
    assert [(await engine.ended(id_))["output"] for id_ in (one, two)] == [{"x": 1}] * 2


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"verb": "explode", "filter": {"key": "k"}}, "bulk_unusable", "/verb"),
        ({"verb": "signal", "filter": {"key": "k"}}, "bulk_unusable", "/options/name"),
        ({"verb": "cancel", "filter": {"key": "k"}, "options": {"name": "go"}}, "bulk_unusable", "/options/name"),
        ({"verb": "cancel", "filter": {}}, "bulk_unusable", "/filter"),
        ({"verb": "cancel", "filter": {"key": "k"}, "rate_per_s": 0}, "invalid", "/rate_per_s"),
    ],
    ids=["verb", "no-option", "odd-option", "everything", "rate"],
)
async def test_what_makes_no_sense_is_refused_with_pointers(engine: Engine, body: Any, code: str, pointer: str) -> None:
    answer = await engine.client.post("/api/v1/executions/bulk", json=body)
    assert (answer.status_code, answer.json()["code"], answer.json()["errors"][0]["pointer"]) == (422, code, pointer)


async def test_more_than_one_job_takes_is_refused_and_nothing_is_kept(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    await resting(engine, "crowd", 3)
    limited = engine.service.context.settings.model_copy(update={"bulk_most": 2})
    monkeypatch.setattr(engine.service.context, "settings", limited)
    before = (await engine.client.get("/api/v1/bulk")).json()["items"]
    for preview in (True, False):
        body = {"verb": "cancel", "filter": {"workflow": "crowd"}, "preview": preview}
        answer = await engine.client.post("/api/v1/executions/bulk", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "bulk_too_large")
    assert (await engine.client.get("/api/v1/bulk")).json()["items"] == before


async def test_a_stopped_job_leaves_the_rest_alone(engine: Engine) -> None:
    started = await resting(engine, "stopped", 40)  # at one a second: it is stopped amid them, however busy the machine is
    job = await bulk(engine, "cancel", {"workflow": "stopped"}, rate_per_s=1)
    stopping = await engine.client.post(f"/api/v1/bulk/{job['id']}/stop")
    assert (stopping.status_code, stopping.json()["status"]) == (202, "stopping")
    done = await finished(engine, job)
    assert done["status"] == "stopped"
    left = await items(engine, job, status="stopped")
    assert len(left) == done["progress"]["waiting"] >= 2
    assert await statuses(engine, [item["execution_id"] for item in left]) == ["waiting"] * len(left)
    again = await engine.client.post(f"/api/v1/bulk/{job['id']}/stop")
    assert (again.status_code, again.json()["code"]) == (409, "bulk_finished")
    assert len(started) == 40


async def test_a_job_is_of_one_tenant(engine: Engine) -> None:
    started = await resting(engine, "ours", 1)
    theirs = engine.service.client("other")
    answer = await theirs.post("/api/v1/executions/bulk", json={"verb": "cancel", "filter": {"ids": started}})
    assert answer.json()["progress"] == {"waiting": 0, "sent": 0, "ok": 0, "refused": 1}
    job = await bulk(engine, "pause", {"ids": started})
    for path in ("", "/items"):
        assert (await theirs.get(f"/api/v1/bulk/{job['id']}{path}")).status_code == 404
    assert (await theirs.post(f"/api/v1/bulk/{job['id']}/stop")).status_code == 404
    assert job["id"] not in {one["id"] for one in (await theirs.get("/api/v1/bulk")).json()["items"]}
    assert (await finished(engine, job))["progress"]["ok"] == 1
    viewer = engine.service.client(roles=["viewer"])
    assert (await viewer.post("/api/v1/executions/bulk", json={"verb": "cancel", "filter": {"ids": started}})).status_code == 403


async def test_many_are_retried_from_a_node_with_other_input_or_by_another_version(engine: Engine) -> None:
    big = {"id": "big", "type": "if", "with": {"when": "input.amount > 100"}}
    stop = {"id": "stop", "type": "fail", "with": {"code": "too_much", "message": "over the limit"}}
    await engine.publish("limited", nodes=[big, stop], edges=[{"from": "big", "to": "stop", "on": "true"}])
    started = [await engine.start("limited", input={"amount": amount}) for amount in (150, 180)]
    assert [(await engine.ended(one))["status"] for one in started] == ["failed"] * 2

    job = await finished(engine, await bulk(engine, "retry", {"workflow": "limited"}, options={"from": "big", "input": {"amount": 5}}))
    assert (job["total"], job["progress"]["ok"]) == (2, 2)
    assert [(await engine.ended(one))["status"] for one in started] == ["completed"] * 2

    failed = await engine.start("limited", input={"amount": 180})
    assert (await engine.ended(failed))["status"] == "failed"
    job = await finished(engine, await bulk(engine, "retry", {"ids": [failed]}, options={"version": 7, "effects": "redo"}))
    assert [(item["status"], item["code"]) for item in await items(engine, job)] == [("refused", "version_not_found")]
