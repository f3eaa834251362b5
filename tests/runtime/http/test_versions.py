from weft_runtime.testing import RunningService


async def test_a_version_travels_with_its_thing_and_guards_its_change(sample: RunningService, tenant: str) -> None:
    client = sample.client(tenant)
    made = await client.post("/api/v1/notes", json={"title": "a"})
    path = f"/api/v1/notes/{made.json()['id']}"
    assert (await client.get(path)).headers["etag"] == '"1"'
    moved = await client.put(path, json={"title": "b"}, headers={"If-Match": '"1"'})
    assert (moved.status_code, moved.headers["etag"]) == (200, '"2"')
    late = await client.put(path, json={"title": "c"}, headers={"If-Match": '"1"'})
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    assert (await client.put(path, json={"title": "d"}, headers={"If-Match": "*"})).status_code == 200


async def test_what_is_already_known_is_not_sent_again(sample: RunningService, tenant: str) -> None:
    client = sample.client(tenant)
    path = f"/api/v1/notes/{(await client.post('/api/v1/notes', json={'title': 'a'})).json()['id']}"
    for known in ('"1"', 'W/"1"', '"0", "1"', "*"):
        answer = await client.get(path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"1"')
    assert (await client.get(path, headers={"If-None-Match": '"2"'})).status_code == 200


async def test_a_precondition_that_is_none_is_refused(sample: RunningService, tenant: str) -> None:
    client = sample.client(tenant)
    path = f"/api/v1/notes/{(await client.post('/api/v1/notes', json={'title': 'a'})).json()['id']}"
    for bad in ("1", 'W/"1"', '"1", "2"', '"'):
        answer = await client.put(path, json={"title": "b"}, headers={"If-Match": bad})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_if_match")


async def test_what_was_deleted_is_answered_with_nothing(sample: RunningService, tenant: str) -> None:
    client = sample.client(tenant)
    path = f"/api/v1/notes/{(await client.post('/api/v1/notes', json={'title': 'a'})).json()['id']}"
    gone = await client.delete(path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await client.delete(path)).status_code == 404
