"""Live executions go on by another version, on real PostgreSQL and RabbitMQ: looked at, a canary ahead, halted, undone."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

from weft_engine.campaigns import look
from weft_engine.core.evolve import fold
from weft_engine.moving.running import MIGRATIONS
from weft_engine.store import migrations as store

from tests.engine.core.conftest import comparable
from tests.services.engine.conftest import Engine
from tests.services.engine.migrating import STATES, document, items, planned, publish, resting, states, told, until

EACH = 167
"""Executions in each of the six states: 1,002 in all."""
CANARY = 101
FAILING = 3
"""Of the canary, which is drawn by lot among random ids. It has some 17 that wait for a signal: fewer than 3 in no run of a million."""


async def folded(engine: Engine, ids: list[str]) -> dict[str, Any]:
    """The states that the journals tell, but for the position."""
    async with engine.service.context.transaction("acme") as uow:
        journals = await store.journals(uow, [UUID(one) for one in ids])
    return {str(one): {**comparable(fold(one, rows)), "position": 0} for one, rows in journals.items()}


async def test_a_thousand_executions_in_six_states_are_judged_moved_in_part_halted_and_undone(engine: Engine) -> None:
    new, cut = document("fleet", new=True, broken=True), document("fleet", new=True)
    cut["nodes"] = [node for node in cut["nodes"] if node["id"] != "signal_now"]
    cut["edges"] = [edge for edge in cut["edges"] if "signal_now" not in (edge["from"], edge["to"])]
    await publish(engine, "fleet", document("fleet"), new, cut)
    fleet = await resting(engine, "fleet", EACH)
    everyone = [one for ids in fleet.values() for one in ids]
    shown, journals = await states(engine, [ids[0] for ids in fleet.values()]), await folded(engine, everyone)

    without = await planned(engine, "fleet", to=3)
    assert without["items"] == {"planned": 5 * EACH, "blocked": EACH}
    assert [(one["code"], one["node"], one["count"]) for one in without["reasons"]] == [("node_gone", "signal", EACH)]
    blocked = await items(engine, without, verdict="blocked")
    assert {item["execution_id"] for item in blocked} == set(fleet["signal"])

    migration = await planned(engine, "fleet", to=2, canary={"share": 0.1}, stop_at_error_rate=0.02, watch_s=3600)
    assert (migration["items"], migration["canary_total"]) == ({"planned": 6 * EACH}, CANARY)
    verdicts = {item["execution_id"]: item["verdict"] for item in await items(engine, migration)}
    assert {state: {verdicts[one] for one in ids} for state, ids in fleet.items()} == {
        **{state: {"ok"} for state in STATES},
        "timer": {"ok_unchanged_position"},
    }
    assert migration["mapping"]["task"] == "task_now"
    assert {one["from"]: one["to"] for one in migration["proposed"]}["each"] == "each_now"

    assert (await told(engine, migration, "apply")).status_code == 202
    watched = await until(engine, migration, lambda one: one["status"] == "watching")
    assert watched["items"] == {"planned": 6 * EACH - CANARY, "migrated": CANARY}
    canary = await items(engine, migration, status="migrated")
    assert all(item["canary"] and item["execution_version"] == 2 for item in canary)
    moved = {item["execution_id"] for item in canary}
    signalled = [one for one in fleet["signal"] if one in moved][:FAILING]
    for one in signalled:
        assert (await engine.client.post(f"/api/v1/executions/{one}/signals/go", json={})).status_code == 202
    halted = await until(engine, migration, lambda one: one["status"] == "halted")
    assert (halted["halted"]["errors"], halted["halted"]["of"], halted["failed"]) == (FAILING, CANARY, FAILING)
    assert halted["items"]["planned"] == 6 * EACH - CANARY

    assert (await told(engine, migration, "undo")).status_code == 202
    undone = await until(engine, migration, lambda one: one["status"] == "undone")
    assert undone["items"] == {"planned": 6 * EACH - CANARY, "undone": CANARY - FAILING, "kept": FAILING}
    assert {item["code"] for item in await items(engine, migration, status="kept")} == {"execution_ended"}
    restored = [one for one in everyone if one not in signalled]
    assert await states(engine, [one for one in shown if one in restored]) == {one: shown[one] for one in shown if one in restored}
    assert await folded(engine, restored) == {one: journals[one] for one in restored}


async def test_a_good_canary_is_watched_and_then_the_others_follow(engine: Engine) -> None:
    await publish(engine, "calm", document("calm"), document("calm", new=True))
    fleet = await resting(engine, "calm", 2)
    migration = await planned(engine, "calm", to=2, canary={"count": 3}, watch_s=600, timers="reset")
    assert migration["verdicts"] == await items(engine, migration)
    await told(engine, migration, "apply")
    watched = await until(engine, migration, lambda one: one["status"] == "watching")
    assert watched["items"] == {"planned": 9, "migrated": 3}
    engine.service.clock.advance(timedelta(seconds=601))
    done = await until(engine, migration, lambda one: one["status"] == "completed")
    assert done["items"] == {"migrated": 12}
    for one in fleet["signal"]:
        await engine.client.post(f"/api/v1/executions/{one}/signals/go", json={})
        assert (await engine.ended(one))["output"] == {"version": 2}
    assert (await told(engine, migration, "apply")).json()["code"] == "migration_cannot"


async def test_after_a_halt_it_goes_on_when_it_is_told_again(engine: Engine) -> None:
    await publish(engine, "halting", document("halting"), document("halting", new=True, broken=True))
    fleet = await resting(engine, "halting", 4, ["signal"])
    migration = await planned(engine, "halting", to=2, canary={"count": 2}, stop_at_error_rate=0.5, watch_s=3600)
    await told(engine, migration, "apply")
    await until(engine, migration, lambda one: one["status"] == "watching")
    first = (await items(engine, migration, status="migrated"))[0]["execution_id"]
    await engine.client.post(f"/api/v1/executions/{first}/signals/go", json={})
    halted = await until(engine, migration, lambda one: one["status"] == "halted")
    assert halted["allowed_actions"] == ["apply", "undo"]
    await told(engine, migration, "apply")
    done = await until(engine, migration, lambda one: one["status"] == "completed")
    assert (done["items"], done["failed"], done["halted"], len(fleet["signal"])) == ({"migrated": 4}, 1, None, 4)


async def test_whoever_looks_next_goes_on_where_a_process_died(engine: Engine) -> None:
    """Every look is one transaction: between any two the runner may be gone. Here many look at once, each a runner of its own."""
    await publish(engine, "shared", document("shared"), document("shared", new=True))
    await resting(engine, "shared", 4, ["task", "timer"])
    migration = await planned(engine, "shared", to=2)
    await told(engine, migration, "apply")

    async def others(shown: dict[str, Any]) -> bool:
        await asyncio.gather(*(look(MIGRATIONS, engine.service.context) for _ in range(3)))
        return bool(shown["status"] == "completed")

    while not await others(await until(engine, migration, lambda _: True)):
        pass
    done = await until(engine, migration, lambda one: one["status"] == "completed")
    assert done["items"] == {"migrated": 8}


async def test_one_execution_is_looked_at_moved_and_moved_back(engine: Engine) -> None:
    await publish(engine, "single", document("single"), document("single", new=True))
    execution = (await resting(engine, "single", 1, ["task"]))["task"][0]
    url = f"/api/v1/executions/{execution}"
    dry = (await engine.client.post(f"{url}/migrate", json={"version": 2, "dry_run": True})).json()
    assert (dry["status"], dry["verdict"], (await engine.get(execution))["version"]) == ("dry_run", "ok", 1)
    blocked = await engine.client.post(f"{url}/migrate", json={"version": 2, "mapping": {"task": None}})
    assert (blocked.status_code, blocked.json()["code"], blocked.json()["reasons"][0]["node"]) == (409, "migration_blocked", "task")
    wrong = await engine.client.post(f"{url}/migrate", json={"version": 2, "mapping": {"nobody": "task_now"}})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/mapping/nobody")
    assert (await engine.client.post(f"{url}/migrate", json={"version": 9})).json()["code"] == "version_not_found"
    assert (await engine.client.post(f"{url}/migrate", json={"version": 2})).json()["status"] == "migrated"
    shown = await engine.get(execution)
    assert (shown["version"], [one["node"] for one in shown["waiting_for"]]) == (2, ["task_now"])
    assert [step["node"] for step in await engine.steps(execution)] == ["old", "choose", "task_now"]
    explained = (await engine.client.get(f"{url}/explain")).json()
    assert [(choice["node"], choice["kind"]) for choice in explained["choices"]] == [("choose", "switch")]
    assert (await engine.client.post(f"{url}/undo-migration")).json()["status"] == "undone"
    assert (await engine.get(execution))["version"] == 1
    again = await engine.client.post(f"{url}/migrate", json={"version": 2})
    assert again.json()["status"] == "migrated"
    await engine.client.post(f"{url}/pause")
    refused = await engine.client.post(f"{url}/undo-migration")
    assert (refused.status_code, refused.json()["code"]) == (409, "happened_since")


async def test_what_cannot_be_planned_says_why(engine: Engine) -> None:
    await publish(engine, "refusing", document("refusing"), document("refusing", new=True))
    url = "/api/v1/workflows/refusing/migrations"
    for body, code in (
        ({"from": 1, "to": 1}, "migration_unusable"),
        ({"from": 1, "to": 7}, "version_not_found"),
        ({"from": 1, "to": 2, "mapping": {"task": "nobody"}}, "mapping_unusable"),
        ({"from": 1, "to": 2, "canary": {"share": 0.1, "count": 2}}, "invalid"),
    ):
        answer = await engine.client.post(url, json=body)
        assert (answer.json()["code"], answer.status_code) == (code, 404 if code == "version_not_found" else 422)
    assert (await engine.client.post("/api/v1/workflows/nowhere/migrations", json={"from": 1, "to": 2})).json()[
        "code"
    ] == "workflow_not_found"
    empty = await planned(engine, "refusing", to=2)
    assert (empty["total"], empty["items"]) == (0, {})
    assert [one["id"] for one in (await engine.client.get(url)).json()["items"]] == [empty["id"]]
    missing = await engine.client.get(f"/api/v1/migrations/{UUID(int=1)}")
    assert (missing.status_code, missing.json()["code"]) == (404, "migration_not_found")
