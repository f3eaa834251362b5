"""Signing in, staying in, signing out."""

from datetime import timedelta

import pytest
from weft_contracts.audit import RecordAudit
from weft_gateway.attempts import LIMITS, TOLD_FIRST, is_told
from weft_gateway.store import directory, failures
from weft_runtime.testing import RunningService, said

from tests.services.gateway.conftest import PASSWORD, at, login, signed_in


async def test_a_person_signs_in_and_learns_who_they_are(gateway: RunningService) -> None:
    answer = await login(gateway.anonymous())
    assert answer.status_code == 200
    assert answer.json() | {"access_token": "", "refresh_token": ""} == {
        "access_token": "",
        "refresh_token": "",
        "token_type": "Bearer",
        "expires_in": 900,
    }
    me = (await (await signed_in(gateway, "Approver@Demo.weft ")).get("/api/v1/me")).json()
    assert (me["tenant"], me["email"], me["roles"], me["groups"]) == ("demo", "approver@demo.weft", ["approver"], ["approvers"])
    assert "tasks.act" in me["permissions"]


@pytest.mark.parametrize(("email", "password"), [("admin@demo.weft", "wrong"), ("nobody@demo.weft", "correct horse battery")])
async def test_a_wrong_password_and_an_unknown_person_get_the_same_answer(gateway: RunningService, email: str, password: str) -> None:
    answer = await login(gateway.anonymous(), email, password)
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_credentials")
    assert answer.json()["detail"] == "the e-mail address or the password is wrong; check both"


async def test_guessing_is_slowed_down_per_account_and_address(gateway: RunningService) -> None:
    client = gateway.anonymous()
    answers = [await login(client, "editor@demo.weft", "wrong") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert (await login(client, "editor@demo.weft")).status_code == 429
    assert (await login(at(gateway, "198.51.100.1"), "editor@demo.weft")).status_code == 200
    gateway.clock.advance(timedelta(minutes=16))
    assert (await login(client, "editor@demo.weft")).status_code == 200


@pytest.mark.parametrize("email", ["approver@demo.weft", "nobody-at-all@demo.weft"])
async def test_guesses_from_everywhere_shut_nobody_out_where_they_sign_in(gateway: RunningService, email: str) -> None:
    gateway.clock.advance(timedelta(hours=2))  # whatever was counted before is over
    at_home, elsewhere = at(gateway, "198.51.100.2"), at(gateway, "198.51.100.3")
    first = (await login(at_home, email)).status_code
    async with gateway.context.owner_transaction() as uow:
        for number in range(LIMITS["account"].failures):
            await failures.count(uow, email, f"192.0.2.{number}")
    gateway.clock.advance(timedelta(minutes=59))
    refused = await login(elsewhere, email)
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (429, "too_many_sign_ins", "60")
    # Who never signed in anywhere, since there is no such account, is told the same as somebody at a new address.
    assert ((await login(at_home, email)).status_code, first) == ((200, 200) if email.startswith("approver") else (429, 401))
    gateway.clock.advance(timedelta(seconds=60))
    assert (await login(elsewhere, email)).status_code == first


async def test_a_refresh_token_is_good_once_and_its_second_use_ends_the_session(gateway: RunningService) -> None:
    client = gateway.anonymous()

    async def revoked() -> set[str]:
        return set((await client.get("/.well-known/revoked.json")).json()["revoked"])

    before = await revoked()
    first = (await login(client)).json()["refresh_token"]
    second = (await client.post("/api/v1/auth/refresh", json={"refresh_token": first})).json()
    assert second["refresh_token"] != first
    replayed = await client.post("/api/v1/auth/refresh", json={"refresh_token": first})
    assert (replayed.status_code, replayed.json()["code"]) == (401, "refresh_refused")
    assert (await client.post("/api/v1/auth/refresh", json={"refresh_token": second["refresh_token"]})).status_code == 401
    assert len(await revoked() - before) == 2


async def test_signing_out_ends_the_session(gateway: RunningService) -> None:
    client = gateway.anonymous()
    token = (await login(client)).json()["refresh_token"]
    assert (await client.post("/api/v1/auth/logout", json={"refresh_token": token})).status_code == 204
    assert (await client.post("/api/v1/auth/refresh", json={"refresh_token": token})).status_code == 401
    assert (await client.post("/api/v1/auth/logout", json={"refresh_token": "unknown"})).status_code == 204


async def test_a_session_ends_by_itself(gateway: RunningService) -> None:
    client = gateway.anonymous()
    token = (await login(client)).json()["refresh_token"]
    gateway.clock.advance(timedelta(days=31))
    assert (await client.post("/api/v1/auth/refresh", json={"refresh_token": token})).status_code == 401


async def test_keys_are_published_without_their_private_half_and_sealed_at_rest(gateway: RunningService) -> None:
    published = (await gateway.anonymous().get("/.well-known/jwks.json")).json()["keys"]
    assert published
    assert all("d" not in key and key["kty"] == "EC" and key["kid"] for key in published)


async def heard_of(gateway: RunningService, email: str, since: int) -> list[RecordAudit]:
    """What the audit was told of a person, from so many on."""
    async with gateway.context.owner_transaction() as uow:
        found = await directory.find_by_email(uow, email)
    user_id = str(found[0].id) if found else ""
    return [one for one in said(gateway, RecordAudit, tenant="demo")[since:] if one.resource_id == user_id]


async def test_the_audit_is_told_of_signing_in_going_on_wrongly_and_signing_out(gateway: RunningService) -> None:
    gateway.clock.advance(timedelta(hours=2))
    since = len(said(gateway, RecordAudit, tenant="demo"))
    client = at(gateway, "198.51.100.20")
    first, other = [(await login(client)).json()["refresh_token"] for _ in range(2)]
    await client.post("/api/v1/auth/refresh", json={"refresh_token": first})
    for _ in range(3):  # the first of them ends the session; whoever shows the token again is not told of again
        await client.post("/api/v1/auth/refresh", json={"refresh_token": first})
    for _ in range(2):
        await client.post("/api/v1/auth/logout", json={"refresh_token": other})
    for _ in range(2):
        await client.post("/api/v1/auth/refresh", json={"refresh_token": other})
    told = await heard_of(gateway, "admin@demo.weft", since)
    assert [(one.action, (one.details or {}).get("reason")) for one in told] == [
        ("user.signed_in", None), ("user.signed_in", None), ("user.refresh_refused", "used_before"), ("user.signed_out", None),
        ("user.refresh_refused", "ended"),
    ]  # fmt: skip
    assert {one.origin.ip for one in told if one.origin is not None} == {"198.51.100.20"}
    assert [one.by == one.resource_id for one in told] == [True, True, False, True, False]
    assert not any(token in str(told) for token in (first, other, PASSWORD))


async def test_refusals_are_told_of_people_there_are_and_whoever_guesses_on_fills_nothing(gateway: RunningService) -> None:
    gateway.clock.advance(timedelta(hours=2))
    since = len(said(gateway, RecordAudit, tenant="demo"))
    await login(at(gateway, "192.0.2.99"), "nobody-there@demo.weft", "wrong")
    for number in range(12):
        await login(at(gateway, f"192.0.2.{100 + number}"), "approver@demo.weft", "wrong")
    told = await heard_of(gateway, "approver@demo.weft", since)
    assert told == said(gateway, RecordAudit, tenant="demo")[since:]
    assert [(one.action, one.by, (one.details or {})["refused"]) for one in told] == [
        ("user.sign_in_refused", None, number) for number in range(1, TOLD_FIRST + 1)
    ]
    assert told[0].origin is not None
    assert (told[0].origin.ip, told[0].details) == ("192.0.2.100", {"reason": "wrong_password", "refused": 1})
    gateway.clock.advance(timedelta(hours=2))
    guesser = at(gateway, "192.0.2.200")
    for _ in range(11):
        await login(guesser, "approver@demo.weft", "wrong")
    locked = [one for one in (await heard_of(gateway, "approver@demo.weft", since)) if one.action == "user.locked_out"]
    assert [(one.details or {})["where"] for one in locked] == ["address"]


def test_of_very_many_refusals_one_in_a_hundred_is_told() -> None:
    assert [number for number in range(1, 301) if is_told(number)] == [*range(1, 11), 100, 200, 300]
