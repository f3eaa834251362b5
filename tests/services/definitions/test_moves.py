"""How a workflow moves from draft to archived over HTTP, and what others are told of it."""

from __future__ import annotations

import json

import httpx2
import pytest
from weft_contracts.definitions import WorkflowChanged
from weft_runtime.testing import RunningService, said

from tests.services.definitions.documents import definition

PATH = "/api/v1/workflows"


@pytest.fixture
def client(definitions: RunningService, tenant: str) -> httpx2.AsyncClient:
    return definitions.client(tenant, ["editor"])


async def test_a_document_is_read_by_its_media_type_and_as_json_without_one(client: httpx2.AsyncClient) -> None:
    body = json.dumps(definition()).encode()
    answers = [
        await client.post(f"{PATH}/validate", content=body, headers={"content-type": media_type} if media_type else {})
        for media_type in ("", "application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded")
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 415, 415]
    assert answers[2].json()["code"] == "unsupported_media_type"


async def test_a_draft_is_told_as_what_starts_nothing(definitions: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    view = (await client.post(PATH, json=definition())).json()
    assert (view["status"], view["installed"]) == ("draft", False)
    [word] = said(definitions, WorkflowChanged, tenant=tenant)
    assert (word.revision, word.status, word.active_version, word.definition) == (1, "inactive", None, None)


async def test_moves_take_a_version_and_a_note(client: httpx2.AsyncClient) -> None:
    await client.post(PATH, json={"definition": definition(), "status": "active"})
    await client.put(f"{PATH}/greet", json=definition(name="Second"))
    wrong = await client.post(f"{PATH}/greet/deactivate", json={"version": 2, "note": "closed"})
    assert (wrong.status_code, wrong.json()["code"]) == (409, "version_not_active")
    off = await client.post(f"{PATH}/greet/deactivate", json={"version": 1, "note": "closed"})
    assert (off.status_code, off.json()["status"]) == (200, "inactive")
    on = await client.post(f"{PATH}/greet/activate", json={"version": 2, "note": "open"})
    assert (on.json()["status"], on.json()["active_version"]) == ("active", 2)
    back = await client.post(f"{PATH}/greet/rollback", json={"version": 1, "note": "as it was"})
    assert (back.json()["version"], back.json()["active_version"]) == (3, 3)
    assert (await client.get(f"{PATH}/greet/versions/3")).json()["note"] == "as it was"


async def test_each_move_is_told_once_with_its_revision(definitions: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    await client.post(PATH, json=definition())
    for move in ("publish", "publish", "deactivate", "deactivate", "activate"):
        assert (await client.post(f"{PATH}/greet/{move}")).status_code == 200
    await client.put(f"{PATH}/greet", json=definition(name="Greet again"))
    published = await client.post(f"{PATH}/greet/publish", json={"version": 2, "note": "politer"})
    assert (published.json()["active_version"], published.json()["version"]) == (2, 2)
    back = await client.post(f"{PATH}/greet/rollback", json={"version": 1})
    assert (back.json()["active_version"], back.json()["name"]) == (3, "Greet")
    assert (await client.delete(f"{PATH}/greet")).status_code == 204
    words = said(definitions, WorkflowChanged, tenant=tenant)
    assert [(word.revision, word.status, word.active_version) for word in words] == [
        (1, "inactive", None),
        (2, "active", 1),
        (3, "inactive", 1),
        (4, "active", 1),
        (5, "active", 2),
        (6, "active", 3),
        (7, "archived", 3),
    ]
    versions = (await client.get(f"{PATH}/greet/versions")).json()["items"]
    assert [(version["version"], version["note"]) for version in versions] == [(3, "version 1 again"), (2, "politer"), (1, None)]
