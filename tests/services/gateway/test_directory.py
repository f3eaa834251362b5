"""Tenants, people, groups and API keys, through the door."""

from datetime import timedelta
from uuid import uuid4

import httpx2
import pytest
import sqlalchemy as sa
from weft_contracts.audit import RecordAudit
from weft_contracts.directory import TenantChanged, UserChanged
from weft_gateway.domain import User, access_claims
from weft_gateway.issuing import Issuer
from weft_gateway.store import directory
from weft_runtime.database import plumbing
from weft_runtime.database.migrate import check
from weft_runtime.testing import RunningService, said
from weft_runtime.testing.running import TEST_SECRET

from tests.services.gateway.conftest import PASSWORD, login, signed_in

EVERYBODY = {"admin@demo.weft", "editor@demo.weft", "approver@demo.weft"}


async def holding(gateway: RunningService, role: str) -> httpx2.AsyncClient:
    """Somebody of the tenant who holds this one role."""
    now = gateway.clock.now()
    async with gateway.context.owner_transaction("demo") as uow:
        demo = await directory.get_tenant(uow, "demo")
        somebody = User(uuid4(), "demo", f"{role}@weft.example", role, now, now, (role,))
        token = gateway.context.part(Issuer).access_token(access_claims(somebody, demo), uow, str(uuid4()))
    client = gateway.anonymous()
    client.headers["Authorization"] = f"Bearer {token}"
    return client


async def test_tables_and_migrations_agree(gateway: RunningService) -> None:
    url = gateway.context.settings.database_url.get_secret_value()
    assert await check(url, "weft_gateway", "gateway") == []


async def test_an_administrator_sees_the_people_and_groups_of_their_tenant(gateway: RunningService) -> None:
    client = await signed_in(gateway, "admin@demo.weft")
    listed = (await client.get("/api/v1/users")).json()["items"]
    assert {user["email"] for user in listed} >= EVERYBODY
    assert not any("phc" in user or "password" in user for user in listed)
    assert [user["email"] for user in (await client.get("/api/v1/users", params={"q": "Arno"})).json()["items"]] == ["approver@demo.weft"]
    groups = {group["name"]: group["members"] for group in (await client.get("/api/v1/groups")).json()["items"]}
    assert groups["operations"] >= 2
    assert (await (await signed_in(gateway, "approver@demo.weft")).get("/api/v1/users")).status_code == 403


async def test_a_new_person_is_told_to_the_mesh_signs_in_and_is_shut_out_again(gateway: RunningService) -> None:
    client = await signed_in(gateway, "admin@demo.weft")
    email = f"{uuid4().hex}@demo.weft"
    body = {"email": email.upper(), "name": "New", "roles": ["approver"], "groups": ["night"], "password": PASSWORD}
    made = await client.post("/api/v1/users", json=body)
    assert (made.status_code, made.json()["email"]) == (201, email)
    assert [word.revision for word in said(gateway, UserChanged, tenant="demo") if word.email == email] == [1]
    session = (await login(gateway.anonymous(), email)).json()
    path, etag = f"/api/v1/users/{made.json()['id']}", made.headers["etag"]
    change = {"name": "New", "roles": ["approver"], "groups": [], "active": False}
    assert (await client.put(path, json=change, headers={"If-Match": '"7"'})).status_code == 412
    assert (await client.put(path, json=change, headers={"If-Match": etag})).status_code == 200
    read = await client.get(f"/api/v1/users/{made.json()['id']}")
    assert (read.json()["email"], read.json()["active"], read.json()["groups"]) == (email, False, [])
    assert read.headers["etag"] != etag
    assert (await login(gateway.anonymous(), email)).status_code == 401
    refreshed = await gateway.anonymous().post("/api/v1/auth/refresh", json={"refresh_token": session["refresh_token"]})
    assert refreshed.status_code == 401
    assert (await client.post("/api/v1/users", json=body)).json()["code"] == "email_taken"


async def test_nobody_makes_somebody_who_may_do_more(gateway: RunningService) -> None:
    client = await holding(gateway, "admin")
    body = {"email": f"{uuid4().hex}@demo.weft", "name": "Op", "roles": ["operator"], "password": PASSWORD}
    refused = await client.post("/api/v1/users", json=body)
    assert (refused.status_code, refused.json()["code"]) == (403, "role_too_high")


@pytest.mark.parametrize("change", [{"email": "no address"}, {"name": ""}, {"password": "short"}, {"more": 1}, {"roles": ["no such!"]}])
async def test_a_person_that_is_none_is_answered_with_pointers(gateway: RunningService, change: dict[str, object]) -> None:
    client = await signed_in(gateway, "admin@demo.weft")
    body = {"email": "x@demo.weft", "name": "X", "password": PASSWORD} | change
    answer = await client.post("/api/v1/users", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith("/" + next(iter(change)))


async def test_an_api_key_is_shown_once_works_and_is_refused_once_revoked(gateway: RunningService) -> None:
    client = await signed_in(gateway, "admin@demo.weft")
    key = {"Idempotency-Key": uuid4().hex}
    made = await client.post("/api/v1/api-keys", json={"name": "robot", "roles": ["viewer"], "expires_in_days": 30}, headers=key)
    assert made.status_code == 201
    secret = made.json()["key"]
    assert secret.startswith("weft_")
    again = await client.post("/api/v1/api-keys", json={"name": "robot", "roles": ["viewer"], "expires_in_days": 30}, headers=key)
    assert (again.json(), again.headers["idempotent-replayed"]) == (made.json(), "true")
    other = await client.post("/api/v1/api-keys", json={"name": "other", "roles": ["viewer"]}, headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    async with gateway.context.owner_transaction("demo") as uow:
        kept = plumbing.table("gateway", "idempotency")
        bodies = (await uow.conn.execute(sa.select(kept.c.body).where(kept.c.key == key["Idempotency-Key"]))).scalars().all()
    assert bodies
    assert not [body for body in bodies if secret.encode() in bytes(body)]
    robot = gateway.anonymous()
    robot.headers["Authorization"] = f"Bearer {secret}"
    me = (await robot.get("/api/v1/me")).json()
    assert (me["kind"], me["tenant"], me["roles"], me["name"]) == ("key", "demo", ["viewer"], "robot")
    maker = (await client.get("/api/v1/me")).json()
    assert (me["owner"], maker["owner"]) == (maker["id"], None)
    assert (await robot.get("/api/v1/api-keys")).status_code == 403
    (listed,) = [item for item in (await client.get("/api/v1/api-keys")).json()["items"] if item["id"] == made.json()["id"]]
    assert (listed["status"], "key" in listed) == ("active", False)
    assert (await client.delete(f"/api/v1/api-keys/{listed['id']}")).status_code == 204
    assert listed["id"] in (await gateway.anonymous().get("/.well-known/revoked.json")).json()["revoked"]
    assert (await client.delete(f"/api/v1/api-keys/{uuid4()}")).status_code == 404


async def test_an_api_key_may_not_do_more_than_its_maker(gateway: RunningService) -> None:
    client = await holding(gateway, "admin")
    refused = await client.post("/api/v1/api-keys", json={"name": "robot", "roles": ["operator"]})
    assert (refused.status_code, refused.json()["code"]) == (403, "role_too_high")
    assert (await (await signed_in(gateway, "editor@demo.weft")).post("/api/v1/api-keys", json={"name": "r"})).status_code == 403


async def test_the_administrator_of_the_demonstration_runs_the_installation_too_and_others_do_not(gateway: RunningService) -> None:
    for email, status in (("admin@demo.weft", 200), ("editor@demo.weft", 403), ("approver@demo.weft", 403)):
        assert (await (await signed_in(gateway, email)).get("/api/v1/tenants")).status_code == status
    assert (await (await holding(gateway, "admin")).get("/api/v1/tenants")).status_code == 403


async def test_an_operator_makes_a_tenant_with_its_first_administrator(gateway: RunningService) -> None:
    client = await holding(gateway, "operator")
    admin = {"email": "boss@newco.example", "name": "Boss", "password": PASSWORD}
    made = await client.post("/api/v1/tenants", json={"id": "newco", "name": "NewCo", "tier": "gold", "admin": admin})
    assert made.status_code == 201
    assert [word.name for word in said(gateway, TenantChanged, tenant="newco")] == ["NewCo"]
    assert [word.email for word in said(gateway, UserChanged, tenant="newco")] == ["boss@newco.example"]
    assert (await client.post("/api/v1/tenants", json={"id": "newco", "name": "Again"})).status_code == 409
    assert (await client.post("/api/v1/tenants", json={"id": "No Tenant", "name": "x"})).status_code == 422
    assert "newco" in [tenant["id"] for tenant in (await client.get("/api/v1/tenants")).json()["items"]]
    theirs = await signed_in(gateway, "boss@newco.example")
    assert (await theirs.get("/api/v1/me")).json()["tier"] == "gold"
    assert [user["email"] for user in (await theirs.get("/api/v1/users")).json()["items"]] == ["boss@newco.example"]
    assert (await theirs.get("/api/v1/tenants")).status_code == 403


async def test_an_operator_gives_a_tenant_quotas_and_those_that_make_no_sense_are_refused_with_pointers(gateway: RunningService) -> None:
    client = await holding(gateway, "operator")
    quotas = {"starts_per_s": 20, "live_executions": 500, "on_exceeded": {"starts_per_s": "refuse"}}
    made = await client.post("/api/v1/tenants", json={"id": "bounded", "name": "Bounded", "settings": {"region": "eu"}})
    assert made.status_code == 201
    read = await client.get("/api/v1/tenants/bounded")
    wanted = {"name": "Bounded", "tier": "gold", "settings": {"region": "eu", "quotas": quotas}}
    changed = await client.put("/api/v1/tenants/bounded", json=wanted, headers={"If-Match": read.headers["ETag"]})
    assert (changed.status_code, changed.json()["settings"]) == (200, wanted["settings"])
    assert [word.settings for word in said(gateway, TenantChanged, tenant="bounded")] == [{"region": "eu"}, wanted["settings"]]
    late = await client.put("/api/v1/tenants/bounded", json=wanted, headers={"If-Match": read.headers["ETag"]})
    assert (late.status_code, late.json()["code"]) == (412, "tenant_moved")
    assert (await client.put("/api/v1/tenants/nobody", json=wanted)).json()["code"] == "tenant_not_found"
    bad = {"starts_per_s": 0, "live_executions": "many", "starts_each_s": 3}
    refused = await client.put("/api/v1/tenants/bounded", json={**wanted, "settings": {"quotas": bad}})
    pointers = sorted(error["pointer"] for error in refused.json()["errors"])
    assert (refused.status_code, pointers) == (422, [f"/settings/quotas/{name}" for name in sorted(bad)])
    kept = {"settings": {"retention": {"executions_days": -1, "events_days": 30}}}
    refused = await client.put("/api/v1/tenants/bounded", json={**wanted, **kept})
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/settings/retention/executions_days"]
    refused = await client.put("/api/v1/tenants/bounded", json={**wanted, "settings": {"activity_queues": ["fine", "not fine"]}})
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/settings/activity_queues/1"]


async def test_a_key_that_signed_long_enough_is_followed_by_another_and_stays_published(gateway: RunningService) -> None:

    async def published() -> list[str]:
        return [key["kid"] for key in (await gateway.anonymous().get("/.well-known/jwks.json")).json()["keys"]]

    before = await published()
    gateway.clock.advance(timedelta(days=31))
    await gateway.context.part(Issuer).refresh()
    after = await published()
    assert len(after) == len(before) + 1
    assert set(before) < set(after)
    assert TEST_SECRET not in str(after)
    assert (await (await signed_in(gateway, "admin@demo.weft")).get("/api/v1/me")).status_code == 200


async def test_the_audit_is_told_of_keys_and_passwords_and_never_what_they_are(gateway: RunningService) -> None:
    client = await signed_in(gateway, "admin@demo.weft")
    me = (await client.get("/api/v1/me")).json()["id"]
    key = (await client.post("/api/v1/api-keys", json={"name": "audited", "roles": ["service"]})).json()
    for _ in range(2):
        assert (await client.delete(f"/api/v1/api-keys/{key['id']}")).status_code == 204
    made, revoked = [one for one in said(gateway, RecordAudit, tenant="demo") if one.resource_id == key["id"]]
    assert [(one.action, one.by) for one in (made, revoked)] == [("api_key.created", me), ("api_key.revoked", me)]
    assert made.origin is not None
    assert (made.origin.kind, made.after, revoked.before) == ("person", revoked.before, made.after)
    assert (revoked.after or {})["revoked"] is True
    assert key["key"] not in str((made, revoked))
    email = f"{uuid4().hex}@demo.weft"
    user = (await client.post("/api/v1/users", json={"email": email, "name": "N", "roles": []})).json()
    change = {"name": "N", "roles": [], "groups": [], "active": True, "password": "another horse battery"}
    assert (await client.put(f"/api/v1/users/{user['id']}", json=change)).status_code == 200
    (told,) = [one for one in said(gateway, RecordAudit, tenant="demo") if one.resource_id == user["id"]]
    assert (told.action, told.by, told.details) == ("user.password_set", me, {"email": email})
    (fact,) = [one for one in said(gateway, UserChanged, tenant="demo") if one.email == email]
    assert fact.origin is not None
    assert fact.origin.request_id


async def test_who_runs_the_installation_is_told_of_with_their_own_tenant(gateway: RunningService) -> None:
    client, name = await signed_in(gateway, "admin@demo.weft"), f"t-{uuid4().hex[:8]}"
    assert (await client.post("/api/v1/tenants", json={"id": name, "name": "New"})).status_code == 201
    (fact,) = said(gateway, TenantChanged, tenant=name)
    assert fact.origin is not None
    assert fact.origin.tenant == "demo"
