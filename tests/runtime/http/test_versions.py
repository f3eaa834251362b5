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
    for bad in ('"1", "2"', '"', "a b", ""):
        answer = await client.put(path, json={"title": "b"}, headers={"If-Match": bad})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_if_match")


async def test_a_precondition_is_read_with_and_without_quotes_and_a_weak_one_never_holds(sample: RunningService, tenant: str) -> None:
    client = sample.client(tenant)
    path = f"/api/v1/notes/{(await client.post('/api/v1/notes', json={'title': 'a'})).json()['id']}"
    for given, status in (('W/"1"', 412), ("2", 412), ("1", 200), ('"2"', 200)):
        assert (await client.put(path, json={"title": "b"}, headers={"If-Match": given})).status_code == status


async def test_a_thing_without_a_version_of_its_own_has_one_of_what_is_shown(sample: RunningService, tenant: str) -> None:
    client = sample.client(tenant)
    first, again = [await client.get("/api/v1/titles/none") for _ in range(2)]
    assert first.headers["etag"] == again.headers["etag"]
    known = await client.get("/api/v1/titles/none", headers={"If-None-Match": first.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    await client.post("/api/v1/notes", json={"title": "none"})
    assert (await client.get("/api/v1/titles/none")).headers["etag"] != first.headers["etag"]
    assert "etag" not in (await client.get("/api/v1/notes")).headers


async def test_the_head_of_what_can_be_read_is_its_answer_without_the_body(sample: RunningService, tenant: str) -> None:
    client = sample.client(tenant)
    path = f"/api/v1/notes/{(await client.post('/api/v1/notes', json={'title': 'a'})).json()['id']}"
    whole, head = await client.get(path), await client.head(path)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", '"1"')
    assert head.headers["content-length"] == whole.headers["content-length"]
    assert (await client.head("/api/v1/later")).status_code == 405


async def test_what_was_deleted_is_answered_with_nothing(sample: RunningService, tenant: str) -> None:
    client = sample.client(tenant)
    path = f"/api/v1/notes/{(await client.post('/api/v1/notes', json={'title': 'a'})).json()['id']}"
    gone = await client.delete(path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await client.delete(path)).status_code == 404
