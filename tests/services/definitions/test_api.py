"""Workflows over HTTP, as the specification says."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import pytest
import yaml
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.executions import ExecutionCancelled, ExecutionStarted
from weft_runtime.clock import new_id
from weft_runtime.database import check
from weft_runtime.testing import RunningService, said, tell

from tests.services.definitions.documents import definition

PATH = "/api/v1/workflows"


@pytest.fixture
def client(definitions: RunningService, tenant: str) -> httpx2.AsyncClient:
    return definitions.client(tenant, ["editor"])


async def created(client: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post(PATH, json=definition(**changes))
    assert answer.status_code == 201, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def test_the_schema_is_what_the_tables_say(definitions: RunningService) -> None:
    settings = definitions.context.settings
    assert await check(settings.database_url.get_secret_value(), "weft_definitions", "definitions") == []


async def test_a_new_workflow_is_version_one_and_a_draft(client: httpx2.AsyncClient) -> None:
    answer = await client.post(PATH, json=definition(labels={"team": "sales"}, description="says hello"))
    view = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, f"{PATH}/greet")
    assert {name: view[name] for name in ("slug", "name", "status", "version", "active_version", "labels")} == {
        "slug": "greet",
        "name": "Greet",
        "status": "draft",
        "version": 1,
        "active_version": None,
        "labels": {"team": "sales"},
    }
    read = await client.get(f"{PATH}/greet")
    assert read.json()["definition"] == definition(labels={"team": "sales"}, description="says hello")
    assert read.headers["etag"] == f'"{view["etag"]}"'


async def test_yaml_is_read_where_json_is(client: httpx2.AsyncClient) -> None:
    answer = await client.post(PATH, content=yaml.safe_dump(definition()), headers={"content-type": "application/yaml"})
    assert (answer.status_code, answer.json()["definition"]) == (201, definition())


async def test_a_slug_is_made_of_the_name_and_one_slug_is_one_workflow(client: httpx2.AsyncClient) -> None:
    assert (await created(client, slug=None, name="Über uns!"))["slug"] == "uber-uns"
    answer = await client.post(PATH, json=definition(slug="uber-uns"))
    assert (answer.status_code, answer.json()["code"]) == (409, "slug_taken")


async def test_the_same_slug_is_free_in_another_tenant_which_sees_nothing(definitions: RunningService, client: httpx2.AsyncClient) -> None:
    await created(client)
    other = definitions.client("somebody-else", ["editor"])
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/publish"), ("GET", "/versions"), ("GET", "/versions/1")):
        answer = await other.request(method, f"{PATH}/greet{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "workflow_not_found")
    assert (await other.get(PATH)).json()["items"] == []


@pytest.mark.parametrize("slug", ["executions", "events", "analytics", "rules", "templates", "validate", "import"])
async def test_reserved_slugs_are_refused(client: httpx2.AsyncClient, slug: str) -> None:
    answer = await client.post(PATH, json=definition(slug=slug))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/slug")


async def test_errors_point_into_the_body_wrapped_or_not(client: httpx2.AsyncClient) -> None:
    broken = definition(nodes=[{"id": "hello", "type": "set", "with": {}, "colour": "red"}])
    bare = await client.post(PATH, json=broken)
    wrapped = await client.post(PATH, json={"definition": broken, "status": "draft"})
    assert (bare.status_code, wrapped.status_code) == (422, 422)
    assert bare.json()["code"] == "invalid_definition"
    assert "/nodes/0/colour" in {error["pointer"] for error in bare.json()["errors"]}
    for told in ("errors", "findings"):
        assert "/definition/nodes/0/colour" in {one["pointer"] for one in wrapped.json()[told]}


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"definition": definition(), "status": "archived"}, 422, "/status"),
        ({"definition": definition(), "state": "active"}, 422, "/state"),
        ({"definition": 3}, 422, "/definition"),
        ([], 422, ""),
        ("text", 422, ""),
    ],
)
async def test_a_body_that_is_no_definition_is_refused(client: httpx2.AsyncClient, body: Any, status: int, pointer: str) -> None:
    answer = await client.post(PATH, json=body)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (status, pointer)


@pytest.mark.parametrize(
    ("body", "media_type"),
    [(b"{", "application/json"), (b"", "application/json"), (b'{"a": "\\u0000"}', "application/json"), (b"a: &x [*x]", "application/yaml")],
)
async def test_bytes_that_are_no_document_are_malformed(client: httpx2.AsyncClient, body: bytes, media_type: str) -> None:
    for path in (PATH, f"{PATH}/validate"):
        answer = await client.post(path, content=body, headers={"content-type": media_type})
        assert answer.status_code == 400


async def test_created_active_is_published_at_once_and_told(definitions: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    answer = await client.post(PATH, json={"definition": definition(), "status": "active"})
    view = answer.json()
    assert (answer.status_code, view["status"], view["active_version"], view["installed"]) == (201, "active", 1, False)
    [word] = said(definitions, WorkflowChanged, tenant=tenant)
    assert (word.revision, word.status, word.active_version, word.definition) == (1, "active", 1, definition())


async def test_a_put_replaces_the_draft_and_follows_what_was_published(client: httpx2.AsyncClient) -> None:
    await created(client)
    replaced = await client.put(f"{PATH}/greet", json=definition(slug=None, name="Anything"))
    assert (replaced.json()["version"], replaced.json()["slug"], replaced.json()["name"]) == (1, "greet", "Anything")
    await client.post(f"{PATH}/greet/publish")
    followed = await client.put(f"{PATH}/greet", json=definition(name="More"))
    assert (followed.json()["version"], followed.json()["active_version"], followed.json()["status"]) == (2, 1, "active")
    old = await client.get(f"{PATH}/greet", params={"version": 1})
    assert (old.json()["definition"]["name"], old.json()["version"], old.json()["latest_version"]) == ("Anything", 1, 2)
    assert (await client.get(f"{PATH}/greet")).json()["version"] == 2
    other = await client.put(f"{PATH}/greet", json=definition(slug="other"))
    assert (other.status_code, other.json()["code"]) == (422, "slug_mismatch")


async def test_who_changes_what_somebody_else_changed_is_told_so(client: httpx2.AsyncClient) -> None:
    etag = (await created(client))["etag"]
    first = await client.put(f"{PATH}/greet", json=definition(name="Mine"), headers={"If-Match": f'"{etag}"'})
    second = await client.put(f"{PATH}/greet", json=definition(name="Yours"), headers={"If-Match": f'"{etag}"'})
    assert (first.status_code, second.status_code, second.json()["code"]) == (200, 412, "edited_since")


async def test_of_many_who_change_the_same_state_at_once_one_wins(client: httpx2.AsyncClient) -> None:
    etag = (await created(client))["etag"]
    answers = await asyncio.gather(
        *(client.put(f"{PATH}/greet", json=definition(name=f"Number {n}"), headers={"If-Match": f'"{etag}"'}) for n in range(6))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412, 412]


async def test_what_the_engine_cannot_execute_is_saved_and_not_published(client: httpx2.AsyncClient) -> None:
    later = definition(nodes=[{"id": "post", "type": "teams.post_message", "with": {"text": "hello"}}])
    refused = await client.post(PATH, json={"definition": later, "status": "active"})
    assert (refused.status_code, refused.json()["code"]) == (422, "not_executable")
    assert refused.json()["errors"][0]["pointer"] == "/definition/nodes/0/type"
    assert (await client.post(PATH, json=later)).status_code == 201
    publish = await client.post(f"{PATH}/greet/publish")
    assert (publish.status_code, publish.json()["errors"][0]["pointer"]) == (422, "/nodes/0/type")
    verdict = (await client.post(f"{PATH}/validate", json=later)).json()
    assert (verdict["valid"], verdict["publishable"]) == (True, False)


async def test_validation_tells_and_saves_nothing(client: httpx2.AsyncClient) -> None:
    good = await client.post(f"{PATH}/validate", json=definition())
    bad = await client.post(f"{PATH}/validate", json={"definition": definition(start="nowhere")})
    assert (good.status_code, good.json()["valid"], good.json()["publishable"]) == (200, True, True)
    assert (bad.status_code, bad.json()["valid"]) == (200, False)
    assert "/definition/start" in {finding["pointer"] for finding in bad.json()["findings"]}
    assert (await client.get(PATH)).json()["items"] == []


async def test_illegal_moves_are_conflicts_that_say_what_is_legal(client: httpx2.AsyncClient) -> None:
    await created(client)
    answer = await client.post(f"{PATH}/greet/activate")
    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (409, "illegal_move", 409)
    assert "publish" in answer.json()["detail"]
    assert (await client.post(f"{PATH}/greet/publish", json={"version": 9})).json()["code"] == "version_not_found"


async def test_a_workflow_with_live_executions_is_deleted_only_to_drain(
    definitions: RunningService, client: httpx2.AsyncClient, tenant: str
) -> None:
    await created(client)
    first, second = new_id(), new_id()
    fact = {"workflow": "greet", "workflow_version": 1, "position": 0, "at": definitions.clock.now()}
    starts = [ExecutionStarted.model_validate(fact | {"execution_id": one, "trigger_type": "manual"}) for one in (first, second)]
    await tell(definitions, *starts, tenant=tenant)
    refused = await client.delete(f"{PATH}/greet")
    assert (refused.status_code, refused.json()["code"], refused.json()["live_executions"]) == (409, "executions_live", 2)
    end = ExecutionCancelled.model_validate(fact | {"execution_id": first, "started_at": definitions.clock.now(), "duration_ms": 1})
    await tell(definitions, end, end, tenant=tenant)
    assert (await client.delete(f"{PATH}/greet")).json()["live_executions"] == 1
    assert (await client.delete(f"{PATH}/greet", params={"force": "drain"})).status_code == 204
    assert (await client.get(f"{PATH}/greet")).json()["status"] == "archived"
    assert (await client.get(PATH)).json()["items"] == []
    assert len((await client.get(PATH, params={"status": "archived"})).json()["items"]) == 1
    assert len((await client.get(PATH, params={"status": "draft,active,archived"})).json()["items"]) == 1


async def test_lists_are_filtered_and_paged(client: httpx2.AsyncClient) -> None:
    event = [{"on": "event", "event": "invoice.*"}]
    for number in range(5):
        await created(client, slug=f"w{number}", labels={"team": "sales" if number % 2 else "it"}, triggers=event if number == 3 else [])
    await client.post(f"{PATH}/w1/publish")

    async def slugs(**params: Any) -> list[str]:
        return sorted(item["slug"] for item in (await client.get(PATH, params=params)).json()["items"])

    assert await slugs(label="team:sales") == await slugs(label="team=sales") == ["w1", "w3"]
    assert await slugs(label=["team", "team:it"]) == ["w0", "w2", "w4"]
    assert await slugs(status="active") == ["w1"]
    assert (await client.get(PATH, params={"lable": "team"})).json()["errors"][0]["code"] == "unknown_parameter"
    assert await slugs(trigger="event") == ["w3"]
    assert await slugs(trigger="manual") == [f"w{number}" for number in range(5)]
    assert await slugs(q="W2") == ["w2"]
    assert await slugs(q="%") == []
    seen: list[str] = []
    cursor: str | None = None
    while cursor is not None or not seen:
        page = (await client.get(PATH, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [item["slug"] for item in page["items"]]
        assert all("definition" not in item for item in page["items"])
        cursor = page["next_cursor"]
    assert seen == ["w4", "w3", "w2", "w1", "w0"]


async def test_two_versions_are_compared_part_by_part(client: httpx2.AsyncClient) -> None:
    await client.post(PATH, json={"definition": definition(), "status": "active"})
    more = [*definition()["nodes"], {"id": "bye", "type": "end"}]
    await client.put(f"{PATH}/greet", json=definition(nodes=more))
    found = (await client.get(f"{PATH}/greet/compare", params={"from": 1, "to": 2})).json()
    assert [node["id"] for node in found["nodes"]["added"]] == ["bye"]
    assert (await client.get(f"{PATH}/greet/compare", params={"from": 1})).status_code == 422


async def test_the_catalog_names_every_type_with_its_schemas(client: httpx2.AsyncClient) -> None:
    types = (await client.get("/api/v1/node-types")).json()["items"]
    assert {"set", "task", "http.request", "parallel"} <= {found["type"] for found in types}
    one = (await client.get("/api/v1/node-types/http.request")).json()
    assert (one["executable"], one["with"]["type"]) == (True, "object")
    first = (await client.get("/api/v1/node-types", params={"limit": 2})).json()
    rest = (await client.get("/api/v1/node-types", params={"limit": 200, "cursor": first["next_cursor"]})).json()
    assert (len(first["items"]), first["items"] + rest["items"], rest["next_cursor"]) == (2, types, None)
    assert (await client.get("/api/v1/node-types/nothing")).json()["code"] == "node_type_not_found"


async def test_who_may_write_but_not_publish_cannot_publish_by_creating(definitions: RunningService, tenant: str) -> None:
    viewer = definitions.client(tenant, ["viewer"])
    assert (await viewer.post(PATH, json=definition())).status_code == 403
    assert (await viewer.post(f"{PATH}/validate", json=definition())).status_code == 200
    assert (await definitions.anonymous().get(PATH)).status_code == 401


async def test_a_repeat_with_the_same_key_creates_once(client: httpx2.AsyncClient) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = await client.post(PATH, json={"definition": definition(), "status": "active"}, headers=headers)
    again = await client.post(PATH, json={"definition": definition(), "status": "active"}, headers=headers)
    assert (first.status_code, again.status_code, again.headers["idempotent-replayed"]) == (201, 201, "true")
    assert json.loads(again.content)["slug"] == first.json()["slug"]
