"""Definitions go out as files and come in, and whatever could not be carried over is named."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import Any

import httpx2
import pytest
import yaml
from weft_language import read_document
from weft_runtime.testing import RunningService

from tests.services.definitions.documents import definition

PATH = "/api/v1/workflows"
YAML = {"content-type": "application/yaml"}
FLOW: dict[str, Any] = {
    "document": {"dsl": "1.0.3", "namespace": "shop", "name": "order-pet", "version": "0.1.0", "summary": "Orders a pet."},
    "do": [
        {"getPet": {"call": "http", "with": {"method": "get", "endpoint": "https://pets.example/{petId}"}}},
        {"pack": {"run": {"container": {"image": "packer"}}}},
        {"told": {"set": {"pet": "${ .id }"}}},
    ],
}


@pytest.fixture
def client(definitions: RunningService, tenant: str) -> httpx2.AsyncClient:
    return definitions.client(tenant, ["editor"])


async def saved(client: httpx2.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await client.post(PATH, json=definition(**changes))
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("format_", ["weft", "yaml"])
async def test_a_workflow_goes_out_and_comes_in_as_it_was(client: httpx2.AsyncClient, format_: str) -> None:
    made = definition(labels={"team": "on"}, description="a: b\nc") | {"x-note": ["<<", "1e5", None]}
    assert (await client.post(PATH, json=made)).status_code == 201
    out = await client.get(f"{PATH}/greet/export", params={"format": format_})
    media_type = "application/json" if format_ == "weft" else "application/yaml"
    assert (out.status_code, out.headers["content-type"], out.headers["weft-findings"]) == (200, media_type, "0")
    assert out.headers["content-disposition"] == f'attachment; filename="greet.v1.weft.{"json" if format_ == "weft" else "yaml"}"'
    assert read_document(out.content, media_type) == made
    back = await client.post(f"{PATH}/import?slug=other", content=out.content, headers={"content-type": media_type})
    view = back.json()
    assert (back.status_code, back.headers["location"]) == (201, f"{PATH}/other")
    assert (view["slug"], view["status"], view["version"], view["format"]) == ("other", "draft", 1, format_)
    assert view["definition"] == made | {"slug": "other"}
    assert (await client.get(f"{PATH}/other")).json()["definition"] == made | {"slug": "other"}


async def test_a_version_that_is_asked_for_goes_out(client: httpx2.AsyncClient) -> None:
    await saved(client, description="first")
    await client.post(f"{PATH}/greet/publish")
    assert (await client.put(f"{PATH}/greet", json=definition(description="second"))).status_code == 200
    first = await client.get(f"{PATH}/greet/export?version=1")
    newest = await client.get(f"{PATH}/greet/export")
    assert [one.json()["description"] for one in (first, newest)] == ["first", "second"]
    for path, code in ((f"{PATH}/greet/export?version=9", "version_not_found"), (f"{PATH}/nobody/export", "workflow_not_found")):
        missing = await client.get(path)
        assert (missing.status_code, missing.json()["code"]) == (404, code)
    assert (await client.get(f"{PATH}/greet/export?format=bpmn")).status_code == 422


async def test_a_serverless_workflow_goes_out_with_what_it_lacks_and_comes_in(client: httpx2.AsyncClient) -> None:
    await saved(client, sla={"due": "2d"})
    out = await client.get(f"{PATH}/greet/export?format=serverless-workflow")
    document = out.json()
    lacking = document["document"]["metadata"]["weft"]["findings"]
    assert (document["document"]["name"], document["do"][0]) == ("greet", {"hello": {"set": {"greeting": "hello"}}})
    assert "/sla" in {finding["pointer"] for finding in lacking}
    assert out.headers["weft-findings"] == str(len(lacking))
    back = await client.post(f"{PATH}/import?slug=again", content=out.content, headers={"content-type": "application/json"})
    assert (back.status_code, back.json()["definition"]["nodes"][0]["with"]) == (201, {"greeting": "hello"})


@pytest.mark.parametrize("wrapped", ["bare", "object", "text"])
async def test_a_serverless_workflow_comes_in_as_a_draft_and_says_what_stands_otherwise(client: httpx2.AsyncClient, wrapped: str) -> None:
    if wrapped == "bare":
        answer = await client.post(f"{PATH}/import", content=yaml.safe_dump(FLOW, sort_keys=False), headers=YAML)
    else:
        document = FLOW if wrapped == "object" else yaml.safe_dump(FLOW, sort_keys=False)
        answer = await client.post(f"{PATH}/import", json={"format": "serverless-workflow", "document": document})
    view = answer.json()
    assert (answer.status_code, view["slug"], view["status"], view["format"]) == (201, "order-pet", "draft", "serverless-workflow")
    at = "" if wrapped == "bare" else "/document"
    assert (f"{at}/do/1/pack", "carried_otherwise") in {(one["pointer"], one["code"]) for one in view["findings"]}
    assert view["definition"]["description"] == "Orders a pet."
    assert [node["type"] for node in view["definition"]["nodes"]] == ["http.request", "activity", "set", "end"]


async def test_what_would_mean_something_else_is_refused_and_shown(client: httpx2.AsyncClient) -> None:
    broken = FLOW | {"do": [*FLOW["do"], {"merge": {"set": {"all": "${ . + {a: 1} }"}}}]}
    answer = await client.post(f"{PATH}/import", json=broken)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "not_carried_over")
    assert [error["pointer"] for error in problem["errors"]] == ["/do/3/merge/set/all"]
    assert problem["definition"]["slug"] == "order-pet"
    assert (await client.get(f"{PATH}/order-pet")).status_code == 404


async def test_what_is_not_valid_here_says_why_with_what_it_became(client: httpx2.AsyncClient) -> None:
    document = FLOW | {"do": [{"heard": {"listen": {"to": {"one": {"with": {"type": "a"}}}}}}, {"read": {"set": {"b": "${ .member }"}}}]}
    answer = await client.post(f"{PATH}/import", json=document)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid_definition")
    assert problem["errors"][0]["pointer"] == "/nodes/2/with/b"
    assert problem["definition"]["nodes"][2]["id"] == "read"


async def test_a_dry_run_says_all_of_it_and_saves_nothing(client: httpx2.AsyncClient) -> None:
    answer = await client.post(f"{PATH}/import?dry_run=true", json=FLOW)
    view = answer.json()
    assert (answer.status_code, view["valid"], view["slug"], view["workflow"]) == (200, True, "order-pet", None)
    assert "carried_otherwise" in {one["code"] for one in view["findings"]}
    broken = await client.post(f"{PATH}/import?dry_run=true", json=definition(nodes=[{"id": "a", "type": "nothing"}]))
    assert (broken.status_code, broken.json()["valid"]) == (200, False)
    assert (await client.get(PATH)).json()["items"] == []


async def test_a_slug_that_is_taken_is_refused_or_gets_a_new_version(client: httpx2.AsyncClient) -> None:
    await saved(client)
    await client.post(f"{PATH}/greet/publish")
    again = definition(description="imported")
    taken = await client.post(f"{PATH}/import", json=again)
    assert (taken.status_code, taken.json()["code"]) == (409, "slug_taken")
    renewed = await client.post(f"{PATH}/import?existing=version", json=again)
    assert (renewed.status_code, renewed.json()["version"], renewed.json()["workflow"]["active_version"]) == (200, 2, 1)
    unnamed = {name: value for name, value in again.items() if name != "slug"}
    same = await client.post(f"{PATH}/import?existing=version", json=unnamed)
    assert (same.status_code, same.json()["version"]) == (200, 2)


@pytest.mark.parametrize(
    ("body", "media_type", "status", "pointer"),
    [
        (b"a: &x [*x]", "application/yaml", 400, None),
        (b"{", "application/json", 400, None),
        (b"\x00", "application/yaml", 400, None),
        (b"x", "text/html", 415, None),
        (json.dumps({"document": "a: &x [*x]"}).encode(), "application/json", 400, None),
        (json.dumps({"document": {}, "format": "bpmn"}).encode(), "application/json", 422, "/format"),
        (json.dumps({"document": {}, "slug": 3}).encode(), "application/json", 422, "/slug"),
        (json.dumps({"document": {}, "other": 3}).encode(), "application/json", 422, "/other"),
        (json.dumps({"document": {}, "definition": {}}).encode(), "application/json", 422, "/definition"),
        (json.dumps({"definition": {"format": "weft/v1", "name": "n", "nodes": 3}}).encode(), "application/json", 422, "/definition/nodes"),
        (json.dumps({"document": 3, "format": "serverless-workflow"}).encode(), "application/json", 422, "/document"),
        (b"[]", "application/json", 422, ""),
        (b"3", "application/json", 422, ""),
    ],
)
async def test_what_is_no_document_is_refused(
    client: httpx2.AsyncClient, body: bytes, media_type: str, status: int, pointer: str | None
) -> None:
    answer = await client.post(f"{PATH}/import", content=body, headers={"content-type": media_type})
    assert answer.status_code == status, answer.text
    assert pointer is None or answer.json()["errors"][0]["pointer"] == pointer


async def test_who_only_reads_takes_out_and_brings_nothing_in(definitions: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
    await saved(client)
    reader = definitions.client(tenant, ["viewer"])
    assert (await reader.get(f"{PATH}/greet/export")).status_code == 200
    assert (await reader.get(f"{PATH}/greet/diagram")).status_code == 200
    assert (await reader.post(f"{PATH}/import?dry_run=true", json=FLOW)).status_code == 403
    other = definitions.client("somebody-else", ["editor"])
    for path in ("export", "diagram"):
        assert (await other.get(f"{PATH}/greet/{path}")).status_code == 404


async def test_a_workflow_is_drawn(client: httpx2.AsyncClient) -> None:
    await saved(client, name="</title><script>")
    picture = await client.get(f"{PATH}/greet/diagram")
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/svg+xml")
    assert "default-src 'none'" in picture.headers["content-security-policy"]
    root = ET.fromstring(picture.text)
    assert root[0].text == "</title><script>"
    flow = await client.get(f"{PATH}/greet/diagram?format=mermaid&version=1")
    assert flow.headers["content-type"] == "text/vnd.mermaid; charset=utf-8"
    assert flow.text.startswith("flowchart TD\n")
    assert "<script>" not in flow.text
    for query, status in (("format=png", 422), ("version=7", 404)):
        assert (await client.get(f"{PATH}/greet/diagram?{query}")).status_code == status
