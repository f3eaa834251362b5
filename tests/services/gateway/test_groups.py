"""Groups and who is in them, through the door: what tokens tell, what the mesh hears, and what is refused."""

import asyncio
import base64
import json
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import sqlalchemy as sa
from weft_contracts.directory import UserChanged
from weft_gateway import domain
from weft_gateway.domain import User, access_claims
from weft_gateway.errors import TooManyGroups
from weft_gateway.issuing import Issuer
from weft_gateway.store import directory
from weft_gateway.store import groups as store
from weft_gateway.tables import groups as table
from weft_runtime.testing import RunningService, said

from tests.services.gateway.conftest import PASSWORD, holding, login, signed_in


@pytest.fixture
async def admin(gateway: RunningService) -> httpx2.AsyncClient:
    return await holding(gateway, "admin", "operator")


async def person(admin: httpx2.AsyncClient, **more: Any) -> dict[str, Any]:
    body = {"email": f"{uuid4().hex}@demo.weft", "name": "P", **more}
    made = await admin.post("/api/v1/users", json=body)
    assert made.status_code == 201, made.text
    return dict(made.json())


async def group(admin: httpx2.AsyncClient, *members: dict[str, Any], **more: Any) -> tuple[dict[str, Any], str]:
    """A new group and its etag."""
    body = {"name": f"group-{uuid4().hex}", "members": [one["id"] for one in members], **more}
    made = await admin.post("/api/v1/groups", json=body)
    assert made.status_code == 201, made.text
    return dict(made.json()), made.headers["etag"]


def id_of(token: str) -> str:
    """The `jti` of a token."""
    payload = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["jti"])


async def groups_of(admin: httpx2.AsyncClient, user: dict[str, Any]) -> list[str]:
    return list((await admin.get(f"/api/v1/users/{user['id']}")).json()["groups"])


async def test_who_is_taken_into_a_group_is_told_by_their_next_token_and_to_the_mesh(
    gateway: RunningService, admin: httpx2.AsyncClient
) -> None:  # fmt: skip
    one, two = await person(admin, password=PASSWORD), await person(admin, groups=["night"])
    made, _ = await group(admin, one, two, description="Who decides")
    assert (made["members"], made["description"]) == (2, "Who decides")
    words = [word for word in said(gateway, UserChanged, tenant="demo") if word.email == two["email"]]
    assert [(word.revision, word.groups) for word in words] == [(1, ("night",)), (2, ("night", made["name"]))]
    me = (await (await signed_in(gateway, one["email"])).get("/api/v1/me")).json()
    assert me["groups"] == [made["name"]]
    members = (await admin.get(f"/api/v1/groups/{made['id']}/members")).json()["items"]
    assert {member["email"] for member in members} == {one["email"], two["email"]}


async def test_who_is_taken_out_exchanges_their_token(gateway: RunningService, admin: httpx2.AsyncClient) -> None:
    user = await person(admin, password=PASSWORD)
    made, _ = await group(admin, user)
    tokens = (await login(gateway.anonymous(), user["email"])).json()
    client = gateway.anonymous()
    client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
    assert (await client.get("/api/v1/me")).json()["groups"] == [made["name"]]
    assert (await admin.delete(f"/api/v1/groups/{made['id']}/members/{user['id']}")).status_code == 204
    revoked = set((await gateway.context.part(Issuer).revoked())["revoked"])
    fresh = (await gateway.anonymous().post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})).json()
    assert [id_of(one["access_token"]) in revoked for one in (tokens, fresh)] == [True, False]
    client.headers["Authorization"] = f"Bearer {fresh['access_token']}"
    assert (await client.get("/api/v1/me")).json()["groups"] == []


async def test_to_join_twice_and_to_leave_twice_changes_nothing_more(gateway: RunningService, admin: httpx2.AsyncClient) -> None:
    user = await person(admin)
    made, _ = await group(admin)
    for _ in range(2):
        assert (await admin.put(f"/api/v1/groups/{made['id']}/members/{user['id']}")).status_code == 204
    for _ in range(2):
        assert (await admin.delete(f"/api/v1/groups/{made['id']}/members/{user['id']}")).status_code == 204
    assert [word.revision for word in said(gateway, UserChanged, tenant="demo") if word.email == user["email"]] == [1, 2, 3]
    for address in (f"/api/v1/groups/{made['id']}/members/{uuid4()}", f"/api/v1/groups/{uuid4()}/members/{user['id']}"):
        assert (await admin.put(address)).status_code == 404


async def test_a_change_gives_it_another_name_and_other_members_unless_somebody_was_first(admin: httpx2.AsyncClient) -> None:
    stays, goes, comes = [await person(admin) for _ in range(3)]
    made, etag = await group(admin, stays, goes)
    name, path = f"renamed-{uuid4().hex}", f"/api/v1/groups/{made['id']}"
    change = {"name": name, "description": "d", "members": [stays["id"], comes["id"]]}
    assert (await admin.put(f"{path}/members/{goes['id']}")).status_code == 204
    changed = await admin.put(path, json=change, headers={"If-Match": etag})
    assert (changed.status_code, changed.json()["name"], changed.json()["members"]) == (200, name, 2)
    assert [await groups_of(admin, user) for user in (stays, goes, comes)] == [[name], [], [name]]
    late = await admin.put(path, json=change, headers={"If-Match": etag})
    assert (late.status_code, late.json()["code"]) == (412, "group_moved")
    # Who leaves by a change of their own makes it another state, too.
    before = (await admin.get(f"/api/v1/groups/{made['id']}")).headers["etag"]
    assert (await admin.put(f"/api/v1/users/{stays['id']}", json={"name": "S", "roles": ["viewer"], "groups": []})).status_code == 200
    assert (await admin.put(path, json={"name": name}, headers={"If-Match": before})).json()["code"] == "group_moved"
    kept = await admin.put(path, json={"name": name})
    assert (kept.json()["members"], kept.json()["description"]) == (1, "")


async def test_what_is_no_group_is_refused_and_nothing_of_it_is_done(admin: httpx2.AsyncClient) -> None:
    user, nobody = await person(admin), str(uuid4())
    made, _ = await group(admin, user)
    other, _ = await group(admin)
    unknown = await admin.post("/api/v1/groups", json={"name": f"n-{uuid4().hex}", "members": [user["id"], nobody]})
    assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (422, "/members/1")
    assert await groups_of(admin, user) == [made["name"]]
    for answer in (
        await admin.post("/api/v1/groups", json={"name": made["name"]}),
        await admin.put(f"/api/v1/groups/{other['id']}", json={"name": made["name"]}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "group_taken")
    assert (await admin.post("/api/v1/groups", json={"name": ""})).status_code == 422
    for answer in (
        await admin.get(f"/api/v1/groups/{nobody}"),
        await admin.put(f"/api/v1/groups/{nobody}", json={"name": "x"}),
        await admin.delete(f"/api/v1/groups/{nobody}"),
        await admin.get(f"/api/v1/groups/{nobody}/members"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "group_not_found")


async def test_a_group_that_is_deleted_leaves_its_people(gateway: RunningService, admin: httpx2.AsyncClient) -> None:
    user = await person(admin, groups=["night"])
    made, _ = await group(admin, user)
    assert (await admin.delete(f"/api/v1/groups/{made['id']}")).status_code == 204
    assert await groups_of(admin, user) == ["night"]
    assert made["name"] not in [one["name"] for one in (await admin.get("/api/v1/groups", params={"limit": 200})).json()["items"]]
    assert (await admin.delete(f"/api/v1/groups/{made['id']}")).status_code == 404


async def test_groups_that_people_are_given_by_name_are_groups_too_and_stay_when_nobody_is_in_them(admin: httpx2.AsyncClient) -> None:
    name = f"adhoc-{uuid4().hex}"
    user = await person(admin, groups=[name])
    listed = (await admin.get("/api/v1/groups", params={"q": "ADHOC"})).json()["items"]
    assert [one["members"] for one in listed if one["name"] == name] == [1]
    change = {"name": "P", "roles": ["viewer"], "groups": [], "active": True}
    assert (await admin.put(f"/api/v1/users/{user['id']}", json=change)).status_code == 200
    listed = (await admin.get("/api/v1/groups", params={"q": name})).json()["items"]
    assert [one["members"] for one in listed] == [0]


async def test_groups_are_listed_by_name_page_by_page_and_of_ones_own_tenant_only(
    gateway: RunningService, admin: httpx2.AsyncClient
) -> None:  # fmt: skip
    prefix = uuid4().hex
    for letter in "cab":
        await group(admin, name=f"{prefix}-{letter}")
    first = (await admin.get("/api/v1/groups", params={"q": prefix, "limit": 2})).json()
    rest = (await admin.get("/api/v1/groups", params={"q": prefix, "limit": 2, "cursor": first["next_cursor"]})).json()
    assert [one["name"][-1] for one in first["items"] + rest["items"]] == ["a", "b", "c"]
    made, _ = await group(admin, await person(admin), await person(admin), await person(admin))
    page = (await admin.get(f"/api/v1/groups/{made['id']}/members", params={"limit": 2})).json()
    more = (await admin.get(f"/api/v1/groups/{made['id']}/members", params={"limit": 2, "cursor": page["next_cursor"]})).json()
    assert (len({one["id"] for one in page["items"] + more["items"]}), more["next_cursor"]) == (3, None)
    foreign = await holding(gateway, "admin", tenant="elsewhere")
    assert (await foreign.get("/api/v1/groups", params={"q": prefix})).json()["items"] == []
    assert (await foreign.get(f"/api/v1/groups/{made['id']}")).status_code == 404
    assert (await foreign.put(f"/api/v1/groups/{made['id']}/members/{uuid4()}")).status_code == 404
    for role in ("editor", "approver", "service"):
        assert (await (await holding(gateway, role)).get("/api/v1/groups")).status_code == 403


async def test_who_joins_while_a_group_is_deleted_or_renamed_is_never_in_a_group_that_is_not_there(
    gateway: RunningService, admin: httpx2.AsyncClient
) -> None:
    for _ in range(3):
        users = [await person(admin) for _ in range(3)]
        made, _ = await group(admin, users[0])
        path = f"/api/v1/groups/{made['id']}"
        answers = await asyncio.gather(
            admin.put(f"{path}/members/{users[1]['id']}"),
            admin.put(f"/api/v1/users/{users[2]['id']}", json={"name": "P", "roles": ["viewer"], "groups": [made["name"]]}),
            admin.delete(path),
        )
        assert {answer.status_code for answer in answers} <= {200, 204, 404, 409}
        listed = {one["name"] for one in (await admin.get("/api/v1/groups", params={"q": made["name"]})).json()["items"]}
        for user in users:
            assert set(await groups_of(admin, user)) <= listed


async def test_groups_of_people_that_an_earlier_release_wrote_are_adopted(gateway: RunningService, admin: httpx2.AsyncClient) -> None:
    name = f"old-{uuid4().hex}"
    await person(admin, groups=[name])
    async with gateway.context.owner_transaction("demo") as uow:
        await uow.conn.execute(sa.delete(table).where(table.c.tenant_id == "demo", table.c.name == name))
        for _ in range(2):
            await store.adopt(uow)
    assert [one["members"] for one in (await admin.get("/api/v1/groups", params={"q": name})).json()["items"]] == [1]


async def test_nobody_is_in_more_groups_than_a_token_tells(gateway: RunningService) -> None:
    now = gateway.clock.now()
    full = User(uuid4(), "demo", "full@demo.weft", "F", now, now, ("viewer",), tuple(f"g{number}" for number in range(500)))
    with pytest.raises(TooManyGroups):
        domain.regroup(full, now, join="one-more")
    assert len(domain.regroup(full, now, leave="g0", join="one-more").state.groups) == 500
    async with gateway.context.owner_transaction("demo") as uow:
        demo = await directory.get_tenant(uow, "demo")
    assert len(access_claims(full, demo).groups) == 500
