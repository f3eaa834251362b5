"""Rules over HTTP: each is a workflow underneath, and both change in one transaction."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.executions import ExecutionStarted
from weft_runtime.clock import new_id
from weft_runtime.testing import RunningService, said, tell

from tests.services.definitions.documents import definition

RULES, WORKFLOWS = "/api/v1/rules", "/api/v1/workflows"
HOOK: dict[str, Any] = {"action_type": "webhook", "action_config": {"url": "https://crm.example/hook"}}
RULE: dict[str, Any] = {
    "slug": "approved",
    "name": "Approved orders",
    "trigger": {"entity_type": "orders", "operation": "update", "field_conditions": {"status": {"changed_to": "approved"}}},
    "conditions": [{"condition_type": "field_value", "condition_config": {"field": "total", "operator": "gte", "value": 100}}],
    "actions": [HOOK],
}


@pytest.fixture
def client(definitions: RunningService, tenant: str) -> httpx2.AsyncClient:
    return definitions.client(tenant, ["editor"], sub="ada")


async def created(client: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post("/api/v1/rules", json={**RULE, **changes})
    assert answer.status_code == 201, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def test_a_rule_is_a_draft_with_what_it_says_and_a_workflow_under_its_slug(client: httpx2.AsyncClient) -> None:
    answer = await client.post(RULES, json=RULE)
    made = answer.json()
    assert (answer.status_code, answer.headers["location"], made["status"], made["created_by"]) == (
        201,
        f"{RULES}/approved",
        "draft",
        "ada",
    )
    assert made["trigger"] == {**RULE["trigger"], "priority": 100, "source": "record"}
    assert (made["actions"], made["conditions"], made["recipients"]) == ([{**HOOK, "order": 0}], RULE["conditions"], [])
    read = await client.get("/api/v1/rules/approved")
    assert (read.json(), read.headers["etag"]) == ({**made, "installed": None}, f'"{made["etag"]}"')
    under = (await client.get(f"{WORKFLOWS}/approved")).json()
    assert (under["status"], under["labels"], under["name"]) == ("draft", {"rule": "approved"}, "Approved orders")
    assert under["definition"]["triggers"][0]["table"] == "orders"
    labelled = (await client.get(WORKFLOWS, params={"label": "rule=approved"})).json()["items"]
    assert [one["slug"] for one in labelled] == ["approved"]


async def test_a_slug_is_made_of_the_name_where_none_is_given(client: httpx2.AsyncClient) -> None:
    without = {name: value for name, value in RULE.items() if name != "slug"}
    assert (await client.post(RULES, json=without)).json()["slug"] == "approved-orders"


async def test_an_active_rule_is_published_and_changes_at_once(
    definitions: RunningService, client: httpx2.AsyncClient, tenant: str
) -> None:
    made = await created(client, status="active")
    assert (made["status"], made["version"], made["active_version"]) == ("active", 1, 1)
    changed = {**RULE, "trigger": {**RULE["trigger"], "priority": 5}}
    after = (await client.put("/api/v1/rules/approved", json=changed)).json()
    assert (after["status"], after["active_version"], after["trigger"]["priority"]) == ("active", 2, 5)
    told = said(definitions, WorkflowChanged, tenant=tenant)
    assert [(one.status, one.active_version) for one in told] == [("active", 1), ("active", 2)]
    assert told[-1].definition is not None
    assert told[-1].definition["triggers"][0]["priority"] == 5
    assert (await client.put(f"{RULES}/approved", json=changed)).json()["etag"] == after["etag"]


async def test_a_rule_is_put_out_of_work_and_back_and_is_no_draft_again(
    definitions: RunningService, client: httpx2.AsyncClient, tenant: str
) -> None:
    await created(client, status="active")
    off = (await client.put(f"{RULES}/approved", json={**RULE, "name": "Other", "status": "inactive"})).json()
    assert (off["status"], off["active_version"], off["version"]) == ("inactive", 1, 2)
    refused = await client.put(f"{RULES}/approved", json={**RULE, "status": "draft"})
    assert (refused.status_code, refused.json()["code"]) == (409, "illegal_move")
    on = (await client.put(f"{RULES}/approved", json={**RULE, "name": "Other", "status": "active"})).json()
    assert (on["status"], on["active_version"]) == ("active", 2)
    assert [one.status for one in said(definitions, WorkflowChanged, tenant=tenant)] == ["active", "inactive", "active"]


async def test_a_new_rule_may_be_inactive(definitions: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    made = await created(client, status="inactive")
    assert (made["status"], (await client.get(f"{WORKFLOWS}/approved")).json()["status"]) == ("inactive", "inactive")
    assert [one.status for one in said(definitions, WorkflowChanged, tenant=tenant)] == ["inactive"]


async def test_a_draft_becomes_inactive_or_active_when_it_is_asked_to(client: httpx2.AsyncClient) -> None:
    await created(client)
    assert (await client.put(f"{RULES}/approved", json={**RULE, "status": "inactive"})).json()["status"] == "inactive"
    await created(client, slug="second")
    assert (await client.put(f"{RULES}/second", json={**RULE, "slug": "second", "status": "active"})).json()["status"] == "active"


async def test_a_change_of_another_state_than_was_read_is_refused(client: httpx2.AsyncClient) -> None:
    made = await created(client)
    headers = {"If-Match": f'"{made["etag"]}"'}
    assert (await client.put(f"{RULES}/approved", json={**RULE, "name": "A"}, headers=headers)).status_code == 200
    late = await client.put(f"{RULES}/approved", json={**RULE, "name": "B"}, headers=headers)
    assert (late.status_code, late.json()["code"]) == (412, "edited_since")
    assert (await client.delete("/api/v1/rules/approved", headers=headers)).status_code == 412


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "", definition("approved")),
        ("POST", "/publish", None),
        ("POST", "/activate", None),
        ("POST", "/deactivate", None),
        ("POST", "/rollback", {"version": 1}),
        ("DELETE", "", None),
    ],
)
async def test_the_workflow_of_a_rule_is_not_changed_by_hand(client: httpx2.AsyncClient, method: str, path: str, body: Any) -> None:
    before = await created(client, status="active")
    answer = await client.request(method, f"{WORKFLOWS}/approved{path}", json=body)
    assert (answer.status_code, answer.json()["code"], answer.json()["rule"]) == (409, "managed_by_rule", "approved")
    assert (await client.get(f"{RULES}/approved")).json()["version"] == before["version"]


async def test_a_rule_goes_with_its_workflow_or_is_detached_from_it(client: httpx2.AsyncClient) -> None:
    await created(client)
    await created(client, slug="kept", status="active")
    assert (await client.delete("/api/v1/rules/approved")).status_code == 204
    assert (await client.get(f"{RULES}/approved")).json()["code"] == "rule_not_found"
    assert (await client.get(f"{WORKFLOWS}/approved")).json()["status"] == "archived"
    assert (await client.delete(f"{RULES}/kept", params={"keep": "workflow"})).status_code == 204
    assert (await client.get(f"{RULES}/kept")).status_code == 404
    by_hand = await client.put(f"{WORKFLOWS}/kept", json=definition("kept"))
    assert (by_hand.status_code, by_hand.json()["version"]) == (200, 2)


async def test_a_rule_whose_executions_live_is_deleted_when_that_is_said(
    definitions: RunningService, client: httpx2.AsyncClient, tenant: str
) -> None:
    await created(client, status="active")
    now = definitions.clock.now()
    fact = ExecutionStarted(execution_id=new_id(), workflow="approved", workflow_version=1, position=0, at=now, trigger_type="record")
    await tell(definitions, fact, tenant=tenant)
    assert (await client.delete(f"{RULES}/approved")).json()["code"] == "executions_live"
    assert (await client.get(f"{RULES}/approved")).status_code == 200, "nothing was done"
    assert (await client.delete(f"{RULES}/approved", params={"force": "drain"})).status_code == 204


async def test_the_slug_of_a_workflow_is_taken_and_nothing_is_half_made(client: httpx2.AsyncClient) -> None:
    assert (await client.post(WORKFLOWS, json=definition("approved"))).status_code == 201
    assert (await client.post(RULES, json=RULE)).json()["code"] == "slug_taken"
    assert (await client.get(f"{RULES}/approved")).status_code == 404
    assert (await client.put(f"{RULES}/approved", json=RULE)).json()["code"] == "rule_not_found"
    assert (await client.delete(f"{RULES}/approved")).json()["code"] == "rule_not_found"


async def test_rules_are_listed_newest_first_and_filtered(client: httpx2.AsyncClient, definitions: RunningService) -> None:
    for number in range(3):
        await created(client, slug=f"r{number}", status="active" if number == 1 else "draft")
        definitions.clock.advance(timedelta(seconds=1))
    await created(client, slug="other", name="Lines", trigger={"entity_type": "lines", "operation": "create"})

    async def slugs(**query: Any) -> list[str]:
        return [one["slug"] for one in (await client.get("/api/v1/rules", params=query)).json()["items"]]

    assert await slugs() == ["other", "r2", "r1", "r0"]
    assert await slugs(status="active") == ["r1"]
    assert (await slugs(entity_type="lines"), await slugs(q="lines")) == (["other"], ["other"])
    first = (await client.get(RULES, params={"limit": 3})).json()
    assert [one["slug"] for one in (await client.get(RULES, params={"limit": 3, "cursor": first["next_cursor"]})).json()["items"]] == ["r0"]
    assert first["items"][0] | {"created_at": "", "updated_at": "", "created_by": "", "updated_by": ""} == {
        **{"slug": "other", "name": "Lines", "description": "", "status": "draft", "entity_type": "lines", "operation": "create"},
        **{"priority": 100, "actions": ["webhook"], "workflow": "other", "version": 1, "active_version": None},
        **dict.fromkeys(("created_at", "updated_at", "created_by", "updated_by"), ""),
    }


async def test_a_rule_is_rows_with_ids_that_stay(client: httpx2.AsyncClient, tenant: str) -> None:
    recipients = [{"recipient_type": "role", "recipient_id": "boss"}, {"recipient_type": "user", "recipient_id": "ada"}]
    await created(client, recipients=recipients)
    rows = (await client.get("/api/v1/rules/approved/rows")).json()
    whole = rows["definition"]
    assert (whole["name"], whole["status"], whole["tenant_id"], whole["created_by"]) == ("Approved orders", "draft", tenant, "ada")
    assert [one["entity_type"] for one in rows["triggers"]] == ["orders"]
    assert [(one["recipient_type"], one["recipient_id"]) for one in rows["recipients"]] == [("role", "boss"), ("user", "ada")]
    every = [one for kind in ("triggers", "conditions", "actions", "recipients") for one in rows[kind]]
    assert {one["workflow_id"] for one in every} == {whole["id"]}
    assert len({one["id"] for one in every}) == len(every) == 5
    assert (await client.get("/api/v1/rules/approved/rows")).json() == rows


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"actions": []}, "/actions"),
        ({"trigger": {"entity_type": "orders", "operation": "upsert"}}, "/trigger/operation"),
        ({"trigger": {"entity_type": "orders", "operation": "update", "field_conditions": {"a": {"like": 1}}}}, "/trigger"),
        ({"conditions": [{"condition_type": "moon", "condition_config": {}}]}, "/conditions/0"),
        ({"conditions": [{"condition_type": "time_based", "condition_config": {"zone": "UTC"}}]}, "/conditions/0/condition_config/zone"),
        ({"actions": [{"action_type": "email", "action_config": {"connection": "m", "subject": "s"}}]}, "/actions/0/action_config/text"),
        ({"recipients": [{"recipient_type": "moon", "recipient_id": "x"}]}, "/recipients/0/recipient_type"),
        ({"status": "archived"}, "/status"),
        ({"colour": "red"}, "/colour"),
        ({"slug": "rules"}, "/slug"),
    ],
)
async def test_what_is_wrong_is_said_where_it_stands(client: httpx2.AsyncClient, changes: dict[str, Any], pointer: str) -> None:
    answer = await client.post(RULES, json={**RULE, **changes})
    assert answer.status_code == 422, answer.text
    assert pointer in {one["pointer"] for one in answer.json()["errors"]}, answer.text
    assert (await client.get(RULES)).json()["items"] == []


async def test_a_slug_never_changes(client: httpx2.AsyncClient) -> None:
    await created(client)
    assert (await client.put(f"{RULES}/approved", json={**RULE, "slug": "other"})).json()["code"] == "slug_mismatch"


async def test_a_missing_connection_is_pointed_at_in_the_rule(client: httpx2.AsyncClient) -> None:
    mail = {"connection": "mail", "to": "a@b.example", "subject": "s", "text": "t"}
    made = await created(client, actions=[{"action_type": "email", "action_config": mail}])
    assert [one["pointer"] for one in made["findings"]] == ["/actions/0/action_config/connection"]


async def test_recipients_that_nothing_is_told_are_told_of(client: httpx2.AsyncClient) -> None:
    made = await created(client, recipients=[{"recipient_type": "role", "recipient_id": "boss"}])
    assert [(one["code"], one["pointer"]) for one in made["findings"]] == [("recipients_unused", "/recipients")]
    assert (await created(client, slug="second"))["findings"] == []


async def test_a_viewer_reads_and_another_tenant_sees_nothing(definitions: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    await created(client)
    viewer, stranger = definitions.client(tenant, ["viewer"]), definitions.client(f"{tenant}-x", ["admin"])
    assert (await viewer.get(f"{RULES}/approved")).status_code == 200
    assert [(await viewer.request(verb, f"{RULES}/approved", json=RULE)).status_code for verb in ("PUT", "DELETE")] == [403, 403]
    assert (await viewer.post(RULES, json=RULE)).status_code == 403
    assert [(await stranger.get(f"{RULES}/approved{path}")).status_code for path in ("", "/rows")] == [404, 404]
    assert (await stranger.post(f"{RULES}/approved/test", json={"record": {}})).status_code == 404
    assert (await stranger.delete(f"{RULES}/approved")).status_code == 404
