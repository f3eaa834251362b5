"""Who saves, validates or publishes a workflow is warned of one that it calls and that is not there, and by nothing kept from it."""

from __future__ import annotations

from typing import Any

from weft_runtime.testing import RunningService

from tests.services.definitions.documents import definition

PATH = "/api/v1/workflows"


def calling(**with_: Any) -> dict[str, Any]:
    return definition("parent", nodes=[{"id": "call", "type": "call", "with": with_}])


def calls_in(answer: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    return [(found["code"], found["pointer"], found["fix"]) for found in answer["findings"] if found["code"].startswith("workflow_not_")]


async def test_every_door_warns_until_what_is_called_is_published_and_lets_through(definitions: RunningService, tenant: str) -> None:
    client = definitions.client(tenant, ["editor"])
    parent = calling(workflow="child")

    async def warned(document: dict[str, Any] = parent) -> list[tuple[str, str, str | None]]:
        judged = (await client.post(f"{PATH}/validate", json={"definition": document})).json()
        assert (judged["valid"], judged["publishable"]) == (True, True)
        return calls_in(judged)

    place = "/nodes/0/with/workflow"
    assert await warned() == [("workflow_not_there", f"/definition{place}", "make and publish it before it is called")]
    assert (await client.post(PATH, json=definition("chill"))).status_code == 201
    near = [("workflow_not_there", place, "did you mean `chill`?")]
    created = await client.post(PATH, json={"definition": parent, "status": "active"})
    assert (created.status_code, created.json()["status"], calls_in(created.json())) == (201, "active", near)
    assert calls_in((await client.put(f"{PATH}/parent", json=parent | {"name": "Other"})).json()) == near
    assert calls_in((await client.post(f"{PATH}/parent/publish")).json()) == near
    assert calls_in((await client.post(f"{PATH}/parent/rollback", json={"version": 1})).json()) == near
    await client.post(PATH, json=definition("child"))
    assert await warned() == [("workflow_not_published", f"/definition{place}", "publish it before it is called")]
    await client.post(f"{PATH}/child/publish")
    assert await warned() == []
    (found,) = await warned(calling(workflow="child", version=2))
    assert found[:2] == ("workflow_not_published", "/definition/nodes/0/with/version")
    assert await warned(calling(workflow="child", version=1)) == []


async def test_what_is_called_of_another_tenant_is_not_there(definitions: RunningService, tenant: str) -> None:
    other = definitions.client(f"{tenant}-x", ["editor"])
    for slug in ("child", "chilt"):
        assert (await other.post(PATH, json={"definition": definition(slug), "status": "active"})).status_code == 201
    answer = await definitions.client(tenant, ["editor"]).post(f"{PATH}/validate", json=calling(workflow="child"))
    assert calls_in(answer.json()) == [("workflow_not_there", "/nodes/0/with/workflow", "make and publish it before it is called")]


async def test_a_name_that_no_workflow_can_have_is_a_finding_like_any_other(definitions: RunningService, tenant: str) -> None:
    client = definitions.client(tenant, ["editor"])
    answer = await client.post(f"{PATH}/validate", json=calling(workflow="No such; \u2603"))
    assert (answer.status_code, [code for code, _, _ in calls_in(answer.json())]) == (200, ["workflow_not_there"])
    assert (await client.post(f"{PATH}/validate", json=calling(workflow="a\x00b"))).status_code in (200, 400)
