"""What is revoked stays revoked, whatever others revoke."""

from datetime import timedelta
from uuid import UUID, uuid4

import httpx2
import pytest
import sqlalchemy as sa
from weft_gateway import domain, usecases
from weft_gateway.issuing import REVOKED_MAX, Issuer
from weft_gateway.tables import api_keys, refresh_tokens, sessions
from weft_runtime.auth import Caller, Verifier, permissions_of
from weft_runtime.auth.verify import KEYS_TTL_S, REVOKED_TTL_S
from weft_runtime.clock import new_id
from weft_runtime.errors import Unauthenticated
from weft_runtime.testing import RunningService
from weft_runtime.testing.polling import eventually

from tests.services.gateway.conftest import PASSWORD, login, signed_in


def token_of(client: httpx2.AsyncClient) -> str:
    return client.headers["Authorization"].removeprefix("Bearer ")


async def revoked(gateway: RunningService) -> set[str]:
    return set((await gateway.anonymous().get("/.well-known/revoked.json")).json()["revoked"])


async def add_keys(gateway: RunningService, tenant: str, number: int, *, taken_back: bool) -> None:
    async with gateway.context.owner_transaction(tenant) as uow:
        common = {"tenant_id": tenant, "name": "n", "roles": [], "created_by": "x", "created_at": uow.now}
        common |= {"expires_at": uow.now + timedelta(days=9), "revoked_at": uow.now if taken_back else None}
        await uow.conn.execute(sa.insert(api_keys), [{**common, "id": new_id()} for _ in range(number)])


async def add_sign_ins(gateway: RunningService, user_id: UUID, tokens: int, status: str) -> list[str]:
    """Sessions that ended just now, of one person, all their access tokens still good."""
    async with gateway.context.owner_transaction("demo") as uow:
        session, given = new_id(), [uuid4().hex for _ in range(tokens)]
        common = {"tenant_id": "demo", "created_at": uow.now}
        ended = {"status": status, "expires_at": uow.now + timedelta(days=1), "ended_at": uow.now}
        await uow.conn.execute(sa.insert(sessions).values(**common, **ended, id=session, user_id=user_id))
        rows = [{**common, "session_id": session, "hash": id_.encode(), "access_id": id_} for id_ in given]
        await uow.conn.execute(sa.insert(refresh_tokens), rows)
    return given


async def test_a_tenant_that_revokes_keys_without_end_brings_back_nobody_elses(gateway: RunningService) -> None:
    client = await signed_in(gateway, "admin@demo.weft")
    stolen = (await client.post("/api/v1/api-keys", json={"name": "stolen", "roles": ["viewer"]})).json()["id"]
    assert (await client.delete(f"/api/v1/api-keys/{stolen}")).status_code == 204
    gateway.clock.advance(timedelta(seconds=1))
    await add_keys(gateway, "flooding", REVOKED_MAX + 1, taken_back=True)
    assert stolen in await revoked(gateway)


async def test_a_person_who_signs_out_without_end_lets_nobody_elses_token_live_on(gateway: RunningService) -> None:
    (left,) = await add_sign_ins(gateway, uuid4(), 1, "ended")
    (shut_out,) = await add_sign_ins(gateway, uuid4(), 1, "revoked")
    gateway.clock.advance(timedelta(seconds=1))
    await add_sign_ins(gateway, uuid4(), REVOKED_MAX + 1, "revoked")
    assert {left, shut_out} <= await revoked(gateway)


async def test_keys_of_a_person_are_refused_while_they_are_inactive_and_keys_of_the_tenant_stay(gateway: RunningService) -> None:
    admin = await signed_in(gateway, "admin@demo.weft")
    email = f"{uuid4().hex}@demo.weft"
    person = {"name": "Leaver", "roles": ["admin"], "groups": []}
    made = await admin.post("/api/v1/users", json={**person, "email": email, "password": PASSWORD})
    leaver = await signed_in(gateway, email)

    async def key(**more: object) -> tuple[str, str]:
        answer = (await leaver.post("/api/v1/api-keys", json={"name": "k", "roles": ["viewer"], **more})).json()
        assert (answer["owner"], answer["service"]) == (made.json()["id"], bool(more))
        return answer["id"], answer["key"]

    (own, _), (taken_back, _), (tenants, _) = [await key(), await key(), await key(service=True)]
    assert (await admin.delete(f"/api/v1/api-keys/{taken_back}")).status_code == 204

    async def turned(*, active: bool) -> tuple[set[str], dict[str, str]]:
        answer = await admin.put(f"/api/v1/users/{made.json()['id']}", json={**person, "active": active})
        assert answer.status_code == 200
        listed = (await admin.get("/api/v1/api-keys?limit=200")).json()["items"]
        ours = {own, taken_back, tenants}
        return ours & await revoked(gateway), {one["id"]: one["status"] for one in listed if one["id"] in ours}

    statuses = {own: "suspended", taken_back: "revoked", tenants: "active"}
    assert await turned(active=False) == ({own, taken_back}, statuses)
    late = await leaver.post("/api/v1/api-keys", json={"name": "late", "roles": ["viewer"]})
    assert late.status_code in (401, 403)
    assert await turned(active=True) == ({taken_back}, statuses | {own: "active"})


async def test_keys_of_a_person_whose_roles_are_lowered_do_no_more_than_both_allow(gateway: RunningService) -> None:
    admin = await signed_in(gateway, "admin@demo.weft")
    email = f"{uuid4().hex}@demo.weft"
    person = {"name": "Lowered", "roles": ["admin"], "groups": []}
    made = await admin.post("/api/v1/users", json={**person, "email": email, "password": PASSWORD})
    maker = await signed_in(gateway, email)

    as_admin = await Verifier(gateway.context.part(Issuer), gateway.clock, issuer="weft", audience="weft").caller(token_of(maker))

    async def key(*roles: str, **more: object) -> tuple[str, str]:
        answer = (await maker.post("/api/v1/api-keys", json={"name": "k", "roles": roles, **more})).json()
        return answer["id"], answer["key"]

    keys = {"whole": await key("admin", "robots"), "reads": await key("viewer"), "tenants": await key("admin", service=True)}

    async def with_roles(*roles: str) -> dict[str, tuple[list[str] | None, tuple[str, ...], set[str]]]:
        """(lowered to, roles it acts by, permissions) of each key while the person has these roles."""
        answer = await admin.put(f"/api/v1/users/{made.json()['id']}", json={**person, "roles": roles})
        assert answer.status_code == 200
        # What services verify with is read anew every few seconds: here, now.
        issuer = gateway.context.part(Issuer)
        verifier = Verifier(issuer, gateway.clock, issuer="weft", audience="weft")
        listed = {one["id"]: one["lowered_to"] for one in (await admin.get("/api/v1/api-keys?limit=200")).json()["items"]}
        callers = {name: await verifier.caller(secret) for name, (_, secret) in keys.items()}
        return {name: (listed[keys[name][0]], caller.roles, set(caller.permissions)) for name, caller in callers.items()}

    whole, reads = set(permissions_of(["admin"])), set(permissions_of(["viewer"]))
    tenants = (None, ("admin",), whole)
    as_before = {"whole": (None, ("admin", "robots"), whole), "reads": (None, ("viewer",), reads), "tenants": tenants}
    assert await with_roles("editor", "night-shift") == {
        "whole": (["editor"], (), set(permissions_of(["editor"]))),
        "reads": (None, ("viewer",), reads),
        "tenants": tenants,
    }
    assert await with_roles("service") == {
        "whole": (["service"], (), set(permissions_of(["service"]))),
        "reads": (["service"], (), set(permissions_of(["service"])) & reads),
        "tenants": tenants,
    }
    async with gateway.context.transaction("demo", as_admin) as uow:
        late, _ = await usecases.make_api_key("late", ["admin"], 9, as_admin, uow, service=False)
    assert late.lowered_to == ("service",), "the maker's token was older than their roles"
    assert (await with_roles())["whole"] == ([], (), set())
    assert await with_roles("admin") == as_before


@pytest.mark.parametrize(("kept", "given"), [({"roles": ["viewer"]}, ["viewer"]), ({"groups": []}, ["admin"])])
async def test_an_access_token_that_tells_what_was_taken_from_its_person_is_exchanged_for_one_that_does_not(
    gateway: RunningService, kept: dict[str, list[str]], given: list[str]
) -> None:
    admin, email = await signed_in(gateway, "admin@demo.weft"), f"{uuid4().hex}@demo.weft"
    person = {"name": "Reduced", "roles": ["admin"], "groups": ["night"]}
    made = (await admin.post("/api/v1/users", json={**person, "email": email, "password": PASSWORD})).json()
    pair = (await login(gateway.anonymous(), email)).json()

    async def caller(token: str) -> Caller:
        """As services see whoever shows it, by a list that is read anew."""
        return await Verifier(gateway.context.part(Issuer), gateway.clock, issuer="weft", audience="weft").caller(token)

    async def becomes(**changes: object) -> None:
        answer = await admin.put(f"/api/v1/users/{made['id']}", json={**person, **changes})
        assert answer.status_code == 200

    await becomes(name="Renamed", roles=["admin", "editor"], groups=["night", "day"])
    assert (await caller(pair["access_token"])).roles == ("admin",), "who is given more loses nothing"
    await becomes(**kept)
    with pytest.raises(Unauthenticated) as refused:
        await caller(pair["access_token"])
    assert refused.value.code == "token_revoked"
    fresh = (await gateway.anonymous().post("/api/v1/auth/refresh", json={"refresh_token": pair["refresh_token"]})).json()
    after = await caller(fresh["access_token"])
    assert (list(after.roles), list(after.groups)) == (given, kept.get("groups", ["night"]))
    await becomes(**kept, name="Renamed again")
    assert (await caller(fresh["access_token"])).token_id == after.token_id


@pytest.mark.parametrize("document", ["jwks", "revoked"])
async def test_what_services_verify_tokens_with_is_bounded_far_above_their_polling(gateway: RunningService, document: str) -> None:
    client, path = gateway.anonymous(), f"/.well-known/{document}.json"
    first = await client.get(path)
    processes, polls_per_minute = 500, 60 / min(REVOKED_TTL_S, KEYS_TTL_S)
    assert int(first.headers["ratelimit-limit"]) >= processes * polls_per_minute

    async def unchanged() -> bytes | None:
        # What was revoked before is left out once it has expired, which may be between the two.
        told = await client.get(path)
        again = await client.get(path, headers={"If-None-Match": told.headers["etag"]})
        return again.content if (told.status_code, again.status_code) == (200, 304) else None

    assert await eventually(unchanged, f"{path} being the same twice") == b""


async def test_a_tenant_has_so_many_keys_and_no_more(gateway: RunningService) -> None:
    client = await signed_in(gateway, "admin@demo.weft")
    kept = len((await client.get("/api/v1/api-keys?limit=200")).json()["items"])
    await add_keys(gateway, "demo", domain.API_KEYS_MAX - kept - 1, taken_back=False)
    answers = [await client.post("/api/v1/api-keys", json={"name": "one more", "roles": ["viewer"]}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 409]
    assert answers[1].json()["code"] == "too_many_api_keys"
    gateway.clock.advance(timedelta(days=10))
    client = await signed_in(gateway, "admin@demo.weft")
    assert (await client.post("/api/v1/api-keys", json={"name": "later", "roles": ["viewer"]})).status_code == 201
