"""Templates over HTTP: found, kept, shared, and made into workflows."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from weft_runtime.testing import RunningService

from tests.services.definitions.documents import definition

PATH = "/api/v1/templates"
WORKFLOWS = "/api/v1/workflows"
BUILTIN = ["backup-and-cleanup", "data-synchronisation", "document-processing", "email-campaign", "notification", "user-onboarding"]


def template(slug: str = "reminder", **changes: Any) -> dict[str, Any]:
    """A small template. changes: members to set."""
    made: dict[str, Any] = {
        "slug": slug,
        "name": "Reminder",
        "description": "Reminds somebody after a while.",
        "category": "people",
        "labels": {"team": "office"},
        "parameters": {
            "type": "object",
            "required": ["text"],
            "properties": {
                "text": {"type": "string", "minLength": 1},
                "after": {"type": "string", "default": "1d"},
                "limit": {"type": "integer"},
            },
        },
        "example": {"text": "Call back", "limit": 3},
        "enhancements": [
            {
                "id": "short",
                "node": "words",
                "title": "Shorter",
                "min_tier": "premium",
                "enhance": {"type": "ai.summarize", "with": {"connection": "brain", "input": "${parameters.text}"}},
            }
        ],
        "definition": {
            "format": "weft/v1",
            "name": "Reminder",
            "nodes": [
                {"id": "rest", "type": "wait", "with": {"for": "${parameters.after}"}},
                {"id": "words", "type": "transform", "with": {"expression": "'Remember: ' + ${parameters.text}"}},
                {
                    "id": "tell",
                    "type": "publish",
                    "with": {"type": "reminded", "data": {"text": "${parameters.text}", "limit": "${parameters.limit}"}},
                },
            ],
        },
    }
    return made | changes


@pytest.fixture
def client(definitions: RunningService, tenant: str) -> httpx2.AsyncClient:
    return definitions.client(tenant, ["editor"], tier="premium")


async def kept(client: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post(PATH, json=template(**changes))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def slugs(client: httpx2.AsyncClient, **query: str) -> list[str]:
    answer = await client.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    return [one["slug"] for one in answer.json()["items"]]


async def test_those_that_come_with_the_release_are_there_and_found(client: httpx2.AsyncClient) -> None:
    assert await slugs(client, source="builtin") == BUILTIN
    assert await slugs(client, q="BACKUP") == ["backup-and-cleanup"]
    assert await slugs(client, category="people", source="builtin") == ["user-onboarding"]
    assert await slugs(client, label="team=marketing") == ["email-campaign"]
    assert await slugs(client, source="own") == []
    first = (await client.get(PATH, params={"limit": "4", "source": "builtin"})).json()
    second = (await client.get(PATH, params={"limit": "4", "source": "builtin", "cursor": first["next_cursor"]})).json()
    assert [one["slug"] for one in (*first["items"], *second["items"])] == BUILTIN


@pytest.mark.parametrize("slug", BUILTIN)
async def test_each_of_them_makes_a_draft_without_errors(client: httpx2.AsyncClient, slug: str) -> None:
    shown = (await client.get(f"{PATH}/{slug}")).json()
    made = await client.post(f"{PATH}/{slug}/instantiate", json={"parameters": shown["example"]})
    view = made.json()
    assert made.status_code == 201, made.text
    assert (view["status"], view["version"], view["template"]["slug"], view["template"]["version"]) == ("draft", 1, slug, 1)
    assert {one["code"] for one in view["findings"] if one["severity"] != "info"} <= {"connection_not_there"}
    assert (await client.post(f"{WORKFLOWS}/{view['slug']}/publish")).status_code == 200


async def test_a_template_is_kept_and_a_workflow_made_of_it(client: httpx2.AsyncClient) -> None:
    made = await kept(client)
    assert (made["version"], made["source"], made["shared_with"], made["enhancements"][0]["available"]) == (1, "own", [], True)
    assert (await client.get(f"{PATH}/reminder")).headers["etag"] == f'"{made["etag"]}"'
    body = {"parameters": {"text": '{{ vars.secret }} it\'s "due"'}, "name": "Call Ada back"}
    answer = await client.post(f"{PATH}/reminder/instantiate", json=body)
    view = answer.json()
    assert (answer.status_code, answer.headers["location"], view["slug"]) == (201, f"{WORKFLOWS}/call-ada-back", "call-ada-back")
    rest, words, tell = view["definition"]["nodes"]
    assert rest["with"] == {"for": "1d"}
    assert words["with"]["expression"] == '\'Remember: \' + "{{ vars.secret }} it\'s \\"due\\""'
    assert tell["with"]["data"] == {"text": '{{{{ vars.secret }} it\'s "due"'}
    assert (words["enhance"]["min_tier"], view["template"]["enhancements"]) == ("premium", ["short"])
    again = await client.post(f"{PATH}/reminder/instantiate", json=body)
    assert (again.status_code, again.json()["code"]) == (409, "slug_taken")


async def test_enhancements_are_for_tiers(definitions: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    await kept(client)
    standard = definitions.client(tenant, ["editor"], tier="standard")
    assert (await standard.get(f"{PATH}/reminder")).json()["enhancements"][0]["available"] is False
    plain = await standard.post(f"{PATH}/reminder/instantiate", json={"parameters": {"text": "a"}, "slug": "plain"})
    assert "enhance" not in plain.json()["definition"]["nodes"][1]
    refused = await standard.post(f"{PATH}/reminder/instantiate", json={"parameters": {"text": "a"}, "enhancements": ["short"]})
    assert (refused.status_code, refused.json()["code"], refused.json()["errors"][0]["pointer"]) == (422, "tier_too_low", "/enhancements/0")
    without = await client.post(f"{PATH}/reminder/instantiate", json={"parameters": {"text": "a"}, "slug": "none", "enhancements": []})
    assert "enhance" not in without.json()["definition"]["nodes"][1]
    unknown = await client.post(f"{PATH}/reminder/instantiate", json={"parameters": {"text": "a"}, "enhancements": ["other"]})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/enhancements/0")


@pytest.mark.parametrize(
    ("parameters", "pointer"),
    [
        ({}, "/parameters/text"),
        ({"text": 3}, "/parameters/text"),
        ({"text": "a", "other": 1}, "/parameters/other"),
        ({"text": ""}, "/parameters/text"),
    ],
)
async def test_parameters_that_do_not_fit_are_pointed_at(client: httpx2.AsyncClient, parameters: dict[str, Any], pointer: str) -> None:
    await kept(client)
    answer = await client.post(f"{PATH}/reminder/instantiate", json={"parameters": parameters})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_parameters")
    assert answer.json()["errors"][0]["pointer"] == pointer


async def test_what_parameters_make_is_verified(client: httpx2.AsyncClient) -> None:
    await kept(client)
    answer = await client.post(f"{PATH}/reminder/instantiate", json={"parameters": {"text": "a", "after": "soon"}})
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["errors"][0]["pointer"]) == (422, "invalid_definition", "/nodes/0/with/for")
    assert problem["definition"]["nodes"][0]["with"]["for"] == "soon"


async def test_versions_are_kept_and_workflows_move_to_them_when_asked(client: httpx2.AsyncClient) -> None:
    made = await kept(client)
    first = await client.post(
        f"{PATH}/reminder/instantiate", json={"parameters": {"text": "a", "limit": 5}, "slug": "mine", "enhancements": []}
    )
    assert first.status_code == 201
    changed = template(definition=template()["definition"] | {"description": "better"})
    del changed["slug"]
    stale = await client.put(f"{PATH}/reminder", json=changed, headers={"if-match": '"99"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "edited_since")
    second = await client.put(f"{PATH}/reminder", json=changed | {"note": "says more"}, headers={"if-match": f'"{made["etag"]}"'})
    assert (second.status_code, second.json()["version"], second.json()["note"]) == (200, 2, "says more")
    same = await client.put(f"{PATH}/reminder", json=changed)
    assert (same.json()["version"], same.json()["etag"]) == (2, second.json()["etag"])
    listed = (await client.get(f"{PATH}/reminder/versions")).json()["items"]
    assert [(one["version"], one["note"]) for one in listed] == [(2, "says more"), (1, None)]
    old = await client.get(f"{PATH}/reminder", params={"version": 1})
    assert (old.json()["version"], old.json()["latest_version"], "description" in old.json()["definition"]) == (1, 2, False)
    assert (await client.get(f"{PATH}/reminder", params={"version": 3})).json()["code"] == "template_version_not_found"
    moved = await client.post(f"{PATH}/reminder/instantiate", json={"slug": "mine", "existing": "version", "parameters": {"limit": 6}})
    assert (moved.status_code, moved.json()["definition"]["description"], moved.json()["template"]["version"]) == (200, "better", 2)
    assert moved.json()["template"]["enhancements"] == []
    assert moved.json()["definition"]["nodes"][2]["with"]["data"] == {"text": "a", "limit": 6}
    back = await client.post(f"{PATH}/reminder/instantiate", json={"parameters": {"text": "b"}, "slug": "old", "version": 1})
    assert (back.status_code, back.json()["template"]["version"]) == (201, 1)


async def test_a_workflow_made_of_another_template_is_not_taken_for_one_of_this(client: httpx2.AsyncClient) -> None:
    await kept(client)
    await kept(client, slug="other")
    await client.post(f"{PATH}/reminder/instantiate", json={"parameters": {"text": "a"}, "slug": "mine"})
    answer = await client.post(f"{PATH}/other/instantiate", json={"slug": "mine", "existing": "version"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/parameters/text")


async def test_a_template_is_deleted_and_what_was_made_of_it_stays(client: httpx2.AsyncClient) -> None:
    await kept(client)
    await client.post(f"{PATH}/reminder/instantiate", json={"parameters": {"text": "a"}, "slug": "mine"})
    assert (await client.delete(f"{PATH}/reminder", headers={"if-match": '"7"'})).status_code == 412
    assert (await client.delete(f"{PATH}/reminder")).status_code == 204
    assert (await client.get(f"{PATH}/reminder")).json()["code"] == "template_not_found"
    assert (await client.get(f"{WORKFLOWS}/mine")).status_code == 200
    assert (await client.delete(f"{PATH}/notification")).status_code == 404


@pytest.mark.parametrize("slug", ["reminder", "notification"])
async def test_a_slug_that_is_seen_is_taken(client: httpx2.AsyncClient, slug: str) -> None:
    if slug == "reminder":
        await kept(client)
    answer = await client.post(PATH, json=template(slug))
    assert (answer.status_code, answer.json()["code"]) == (409, "template_taken")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"parameters": {"type": "object", "properties": {"text": {"type": "nothing"}}}}, "/parameters/properties/text/type"),
        ({"parameters": {"type": "array"}}, "/parameters"),
        ({"example": {}}, "/example/text"),
        ({"definition": definition(name="${parameters.missing}")}, "/definition"),
        ({"definition": definition(nodes=[])}, "/enhancements/0/node"),
        ({"definition": definition(nodes=[{"id": "words", "type": "dance"}])}, "/definition/nodes/0/type"),
        (
            {"enhancements": [{"id": "a", "node": "tell", "title": "t", "enhance": {"type": "ai.classify"}}]},
            "/definition/nodes/2/enhance/connection",
        ),
        ({"colour": 1}, "/colour"),
    ],
)
async def test_a_template_that_cannot_work_is_refused_where_it_is_wrong(
    client: httpx2.AsyncClient, changes: dict[str, Any], pointer: str
) -> None:
    answer = await client.post(PATH, json=template(**changes))
    assert answer.status_code == 422
    assert pointer in {error["pointer"] for error in answer.json()["errors"]}


async def test_operators_share_and_nobody_else_sees(definitions: RunningService, tenant: str) -> None:
    operator = definitions.client(f"{tenant}-op", ["operator", "admin"])
    one, two = (definitions.client(f"{tenant}-{name}", ["editor"]) for name in ("one", "two"))
    own = await one.post(PATH, json=template(shared_with=["*"]))
    assert (own.status_code, own.json()["code"]) == (403, "forbidden")
    assert (await operator.post(PATH, json=template("shared-to-one", shared_with=[f"{tenant}-one"]))).status_code == 201
    assert await slugs(one, source="shared", q="shared-to") == ["shared-to-one"]
    assert await slugs(two, source="shared", q="shared-to") == []
    assert (await two.get(f"{PATH}/shared-to-one")).status_code == 404
    seen = (await one.get(f"{PATH}/shared-to-one")).json()
    assert (seen["source"], seen["shared_with"], seen["created_by"]) == ("shared", None, "")
    assert (await one.post(f"{PATH}/shared-to-one/instantiate", json={"parameters": {"text": "a"}})).status_code == 201
    changed = {name: value for name, value in template().items() if name != "slug"}
    assert (await one.put(f"{PATH}/shared-to-one", json=changed)).status_code == 404
    assert (await one.delete(f"{PATH}/shared-to-one")).status_code == 404
    assert (await operator.put(f"{PATH}/shared-to-one", json=changed | {"shared_with": ["*"]})).json()["version"] == 1
    assert await slugs(two, source="shared", q="shared-to") == ["shared-to-one"]
    assert (await one.get(f"{PATH}/shared-to-one/versions")).json()["items"][0]["version"] == 1
    mine = await one.post(PATH, json=template("shared-to-one", name="Mine"))
    assert (mine.status_code, (await one.get(f"{PATH}/shared-to-one")).json()["source"]) == (201, "own")
    assert (await operator.delete(f"{PATH}/shared-to-one")).status_code == 204
    assert (await two.get(f"{PATH}/shared-to-one")).status_code == 404


async def test_who_only_reads_makes_nothing(definitions: RunningService, tenant: str) -> None:
    reader = definitions.client(tenant, ["viewer"])
    assert (await reader.get(f"{PATH}/notification")).status_code == 200
    for method, path in (("POST", ""), ("PUT", "/reminder"), ("DELETE", "/reminder"), ("POST", "/notification/instantiate")):
        assert (await reader.request(method, PATH + path, json={})).status_code == 403
