"""Who saves, validates or publishes a workflow is warned of a connection that is not there, and by nothing kept from it."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from weft_contracts.connections import ConnectionRemoved, ConnectionSaved
from weft_runtime.testing import RunningService, tell

from tests.services.definitions.documents import definition

PATH = "/api/v1/workflows"
ASKING = definition(nodes=[{"id": "ask", "type": "http.request", "with": {"url": "/x", "connection": "bank"}}])
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


IDS = itertools.count(1)


def saved(name: str, revision: int = 1, **changes: Any) -> ConnectionSaved:
    fields = {"connection_id": UUID(int=next(IDS)), "revision": revision, "name": name, "connection_type": "http", "at": NOW}
    return ConnectionSaved.model_validate(fields | changes)


def removed(of: ConnectionSaved) -> ConnectionRemoved:
    revision = of.revision + 1
    return ConnectionRemoved(connection_id=of.connection_id, revision=revision, name=of.name, connection_type=of.connection_type, at=NOW)


def connections_in(answer: dict[str, Any]) -> list[tuple[str, str]]:
    return [(found["code"], found["severity"]) for found in answer["findings"] if found["code"].startswith("connection_")]


NOT_THERE = [("connection_not_there", "warning")]


async def test_every_door_warns_and_lets_through(definitions: RunningService, tenant: str) -> None:
    await tell(definitions, saved("banc"), tenant=tenant)
    client = definitions.client(tenant, ["editor"])
    judged = (await client.post(f"{PATH}/validate", json={"definition": ASKING})).json()
    assert (judged["valid"], judged["publishable"], connections_in(judged)) == (True, True, NOT_THERE)
    (found,) = [found for found in judged["findings"] if found["code"] == "connection_not_there"]
    assert (found["pointer"], found["fix"]) == ("/definition/nodes/0/with/connection", "did you mean `banc`?")
    created = await client.post(PATH, json=ASKING)
    assert (created.status_code, connections_in(created.json())) == (201, NOT_THERE)
    changed = await client.put(f"{PATH}/greet", json=ASKING | {"name": "Other"})
    assert (changed.status_code, connections_in(changed.json())) == (200, NOT_THERE)
    published = await client.post(f"{PATH}/greet/publish")
    assert (published.status_code, published.json()["status"], connections_in(published.json())) == (200, "active", NOT_THERE)
    back = await client.post(f"{PATH}/greet/rollback", json={"version": 1})
    assert (back.status_code, connections_in(back.json())) == (200, NOT_THERE)


async def test_it_is_warned_of_until_it_is_made_and_once_it_is_gone(definitions: RunningService, tenant: str) -> None:
    client = definitions.client(tenant, ["editor"])

    async def warned() -> list[tuple[str, str]]:
        return connections_in((await client.post(f"{PATH}/validate", json=ASKING)).json())

    assert await warned() == NOT_THERE
    first = saved("bank")
    await tell(definitions, first, tenant=tenant)
    assert await warned() == []
    await tell(definitions, removed(first), tenant=tenant)
    assert await warned() == NOT_THERE
    await tell(definitions, first, tenant=tenant)
    assert await warned() == NOT_THERE, "said before, heard after"
    await tell(definitions, saved("bank", connection_type="webhook"), tenant=tenant)
    assert await warned() == [("connection_of_another_type", "warning")]


@pytest.mark.parametrize("newer_first", [False, True])
async def test_of_two_with_one_name_the_later_is_meant(definitions: RunningService, tenant: str, *, newer_first: bool) -> None:
    older, newer = saved("bank", connection_type="webhook"), saved("bank")
    for word in (newer, older) if newer_first else (older, newer):
        await tell(definitions, word, tenant=tenant)
    answer = await definitions.client(tenant, ["editor"]).post(f"{PATH}/validate", json=ASKING)
    assert connections_in(answer.json()) == []


async def test_another_tenants_connection_is_not_there(definitions: RunningService, tenant: str) -> None:
    for name in ("bank", "banc"):
        await tell(definitions, saved(name), tenant=f"{tenant}-x")
    answer = await definitions.client(tenant, ["editor"]).post(f"{PATH}/validate", json=ASKING)
    (found,) = [found for found in answer.json()["findings"] if found["code"] == "connection_not_there"]
    assert found["fix"].startswith("make one of type `http`"), "nor is one of its names told"
