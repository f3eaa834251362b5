from typing import Any

import pytest
from weft_runtime.testing import RunningService

MEMBERS = {"type", "title", "status", "detail", "code", "trace_id"}


async def problem(sample: RunningService, method: str, path: str, **request: Any) -> dict[str, Any]:
    answer = await sample.client().request(method, path, **request)
    document: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert document.keys() >= MEMBERS
    assert document["status"] == answer.status_code
    assert len(document["trace_id"]) == 32
    return document


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("GET", "/", 404, "not_found"),
        ("PATCH", "/api/v1/notes", 405, "method_not_allowed"),
        ("GET", "/api/v1/notes/00000000-0000-0000-0000-000000000000", 404, "note_missing"),
        ("GET", "/api/v1/notes/no-uuid", 422, "invalid"),
        ("GET", "/api/v1/notes?limit=0", 422, "invalid"),
        ("GET", "/api/v1/notes?limit=201", 422, "invalid"),
        ("GET", "/api/v1/notes?cursor=abc", 400, "bad_cursor"),
        ("GET", "/api/v1/titles/%00", 400, "malformed"),
        ("GET", "/api/v1/notes?title=%00", 400, "malformed"),
        ("GET", "/api/v1/stars/99999999999999999999999", 422, "value_refused"),
        ("GET", "/api/v1/bug", 500, "internal_error"),
    ],
)
async def test_every_refusal_is_a_problem_document(sample: RunningService, method: str, path: str, status: int, code: str) -> None:
    document = await problem(sample, method, path)
    assert (document["status"], document["code"]) == (status, code)


async def test_a_path_names_all_the_methods_it_has(sample: RunningService) -> None:
    some_note = "/api/v1/notes/00000000-0000-0000-0000-000000000000"
    for path, methods in (("/api/v1/notes", "GET, HEAD, POST"), (some_note, "DELETE, GET, HEAD, PUT"), ("/api/v1/later", "POST")):
        answer = await sample.client().request("PATCH", path)
        assert (answer.status_code, answer.headers["allow"]) == (405, methods)


async def test_a_bug_tells_its_trace_id_and_nothing_else(sample: RunningService, capsys: pytest.CaptureFixture[str]) -> None:
    document = await problem(sample, "GET", "/api/v1/bug")
    assert "secret inside" not in str(document)
    told = capsys.readouterr().err
    assert "secret inside" in told
    assert document["trace_id"] in told
    metrics = (await sample.anonymous().get("/metrics")).text
    assert 'weft_internal_errors_total{door="http",service="sample"}' in metrics


async def test_the_trace_id_is_the_one_that_the_caller_began(sample: RunningService) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    document = await problem(sample, "GET", "/api/v1/nothing", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert document["trace_id"] == trace


async def test_wrong_input_is_named_by_pointer(sample: RunningService) -> None:
    body = {"title": 5, "unknown/field": 1, "inner": [{"name": "ok"}, {"due": "soon"}], "other": {"name": ""}}
    document = await problem(sample, "POST", "/api/v1/notes", json=body)
    found = {error["pointer"]: error["code"] for error in document["errors"]}
    assert found.keys() == {"/title", "/unknown~1field", "/inner/1/name", "/inner/1/due", "/other/name", "/other"}
    assert (found["/title"], found["/unknown~1field"]) == ("string_type", "unknown_field")
    assert (found["/inner/1/name"], found["/other/name"]) == ("required", "string_too_short")


async def test_wrong_parameters_say_where_they_stand(sample: RunningService) -> None:
    query = await problem(sample, "GET", "/api/v1/notes?limit=many&least=-1")
    assert {(error["in"], error["pointer"]) for error in query["errors"]} == {("query", "/limit"), ("query", "/least")}
    path = await problem(sample, "GET", "/api/v1/notes/no-uuid")
    assert [(error["in"], error["pointer"]) for error in path["errors"]] == [("path", "/note_id")]


async def test_a_thing_of_another_tenant_is_not_there(sample: RunningService) -> None:
    made = (await sample.client("here").post("/api/v1/notes", json={"title": "private"})).json()
    for answer in (
        await sample.client("there").get(f"/api/v1/notes/{made['id']}"),
        await sample.client("there").put(f"/api/v1/notes/{made['id']}", json={"title": "stolen"}),
        await sample.client("there").delete(f"/api/v1/notes/{made['id']}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "note_missing")
    assert (await sample.client("here").get(f"/api/v1/notes/{made['id']}")).json()["title"] == "private"


async def test_a_failed_verb_leaves_nothing_behind(sample: RunningService, tenant: str) -> None:
    document = await problem(sample, "POST", "/api/v1/notes", json={"title": "clash"})
    assert (document["status"], document["code"]) == (409, "note_clash")
    assert (await sample.client().get("/api/v1/titles/clash")).json() == 0
