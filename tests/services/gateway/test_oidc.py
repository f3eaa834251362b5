"""Signing in by an identity provider, through the doors, against one that is strict."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from structlog.testing import capture_logs
from weft_contracts.directory import UserChanged
from weft_gateway.issuing import Issuer
from weft_runtime.testing import said

from tests.services.gateway.conftest import holding, login, signed_in
from tests.services.gateway.identity_provider import CLIENT_SECRET
from tests.services.gateway.oidc_sign_ins import CALLBACK, START, Place, place, service, somebody

__all__ = ["place", "service"]


async def test_somebody_new_is_taken_in_told_to_the_mesh_and_known_again(place: Place) -> None:
    person = somebody()
    with capture_logs() as logged:
        first = await place.sign_in(**person)
        again = await place.sign_in(**person | {"email": "changed@acme.example", "name": "Renamed"})
    me = await place.me(first)
    assert (me["tenant"], me["email"], me["name"], me["roles"]) == ("demo", person["email"], "Some Body", ["viewer"])
    assert (await place.me(again))["id"] == me["id"]
    assert [word.revision for word in said(place.gateway, UserChanged, tenant="demo") if word.email == person["email"]] == [1]
    refreshed = await place.browser().post("/api/v1/auth/refresh", json={"refresh_token": first.json()["refresh_token"]})
    assert refreshed.status_code == 200
    secrets = (CLIENT_SECRET, place.fake.verifiers[-1], place.fake.tokens[-1], first.json()["access_token"])
    assert [secret for secret in secrets if secret in f"{logged}"] == []


async def test_a_browser_is_tied_to_its_sign_in_by_a_cookie_that_pages_cannot_read(place: Place) -> None:
    started = await place.browser().get(START, params={"provider": "plain"})
    _, *attributes = started.headers["set-cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Lax", "Secure", f"Path={CALLBACK}"} <= set(attributes)
    place.fake.person = somebody()
    answer, cookie = await place.begin()
    other = (await place.begin())[1]
    for brought in ("", other, cookie.partition("=")[0] + "=guess"):
        mine, _ = await place.begin()
        refused = await place.come_back(mine, brought)
        assert (refused.status_code, refused.json()["code"]) == (400, "oidc_other_browser")
    assert (await place.come_back(answer, cookie)).status_code == 200


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"state": None}, "oidc_state_unknown"),
        ({"state": "../../etc"}, "oidc_state_unknown"),
        ({"state": "x" * 43}, "oidc_state_unknown"),
        ({"code": None}, "oidc_denied"),
        ({"code": None, "error": "access_denied"}, "oidc_denied"),
        ({"code": "of-a-thief"}, "oidc_code_refused"),
        ({"iss": "https://evil.example"}, "oidc_wrong_issuer"),
        ({"iss": None}, "oidc_wrong_issuer"),
    ],
)
async def test_an_answer_that_is_not_right_lets_nobody_in(place: Place, changed: dict[str, str | None], code: str) -> None:
    place.fake.person = somebody()
    answer, cookie = await place.begin()
    refused = await place.come_back(answer, cookie, **changed)
    assert (refused.status_code, refused.json()["code"]) == (400, code)


async def test_an_answer_is_taken_once_and_in_time(place: Place) -> None:
    place.fake.person = somebody()
    answer, cookie = await place.begin()
    assert (await place.come_back(answer, cookie)).status_code == 200
    assert (await place.come_back(answer, cookie)).json()["code"] == "oidc_state_unknown"
    answer, cookie = await place.begin()
    place.gateway.clock.advance(timedelta(minutes=11))
    assert (await place.come_back(answer, cookie)).json()["code"] == "oidc_state_unknown"


async def test_nobody_takes_over_an_account_that_has_the_same_address(place: Place) -> None:
    refused = await place.sign_in(**somebody(email="ADMIN@demo.weft"))
    assert (refused.status_code, refused.json()["code"]) == (409, "oidc_email_taken")
    admin = await holding(place.gateway, "admin")
    (kept,) = (await admin.get("/api/v1/users", params={"q": "admin@demo.weft"})).json()["items"]
    assert (kept["name"], kept["roles"]) == ("Ada Admin", ["admin", "operator"])


@pytest.mark.parametrize(
    ("provider", "claims", "code"),
    [
        ("plain", {"email_verified": False}, "oidc_no_email"),
        ("plain", {"email_verified": None}, "oidc_no_email"),
        ("plain", {"email": "no address"}, "oidc_no_email"),
        ("closed", {}, "oidc_not_admitted"),
        ("ours", {"email": "x@evil.example"}, "oidc_email_refused"),
        ("many", {}, "oidc_no_tenant"),
        ("many", {"org": ["o-demo", "o-other"]}, "oidc_no_tenant"),
        ("many", {"org": "o-unknown"}, "oidc_no_tenant"),
    ],
)
async def test_who_is_none_of_ours_is_not_taken_in(place: Place, provider: str, claims: dict[str, Any], code: str) -> None:
    refused = await place.sign_in(provider, **somebody(**claims))
    assert (refused.status_code, refused.json()["code"]) == (403, code)


async def test_of_which_tenant_somebody_is_may_be_told_by_a_claim_and_does_not_change(place: Place) -> None:
    person = somebody(org="o-demo")
    assert (await place.me(await place.sign_in("many", **person)))["tenant"] == "demo"
    moved = await place.sign_in("many", **person | {"org": "o-other"})
    assert (moved.status_code, moved.json()["code"]) == (409, "oidc_other_tenant")
    nowhere = await place.sign_in("many", **somebody(org="o-other"))
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "tenant_not_found")


async def test_roles_and_groups_that_a_provider_decides_are_what_it_says_at_each_sign_in(place: Place) -> None:
    person = somebody(realm={"roles": ["approvers", "unknown"]}, groups=["G1", "G9"])
    first = await place.me(await place.sign_in("mapped", **person))
    assert (first["roles"], first["groups"]) == (["approver"], ["night"])
    tokens = await place.sign_in("mapped", **person)
    less = await place.me(await place.sign_in("mapped", **person | {"realm": {"roles": []}, "groups": ["G2"]}))
    assert (less["roles"], less["groups"]) == (["viewer"], ["day"])
    # What told more before is exchanged, as when an administrator takes it.
    revoked = (await place.gateway.context.part(Issuer).revoked())["revoked"]
    refreshed = await place.browser().post("/api/v1/auth/refresh", json={"refresh_token": tokens.json()["refresh_token"]})
    assert (len(revoked) > 0, (await place.me(refreshed))["groups"]) == (True, ["day"])
    admin = await holding(place.gateway, "admin")
    assert "day" in [one["name"] for one in (await admin.get("/api/v1/groups")).json()["items"]]


async def test_who_is_deactivated_here_does_not_get_in_and_a_session_lasts_as_long_as_its_provider_says(place: Place) -> None:
    person = somebody(realm={"roles": ["editors"]})
    signed = await place.sign_in("mapped", **person)
    place.gateway.clock.advance(timedelta(hours=9))
    late = await place.browser().post("/api/v1/auth/refresh", json={"refresh_token": signed.json()["refresh_token"]})
    assert late.status_code == 401
    place.fake.now = place.gateway.clock.now()
    me = await place.me(await place.sign_in("mapped", **person))
    admin = await holding(place.gateway, "admin")
    change = {"name": "x", "roles": ["editor"], "groups": [], "active": False}
    assert (await admin.put(f"/api/v1/users/{me['id']}", json=change)).status_code == 200
    refused = await place.sign_in("mapped", **person)
    assert (refused.status_code, refused.json()["code"]) == (403, "oidc_inactive")


async def test_a_page_goes_on_where_it_asked_with_a_code_that_is_good_once(place: Place) -> None:
    place.fake.person = person = somebody()
    back = await place.come_back(*await place.begin(return_to="/app?tab=1"))
    path, _, fragment = back.headers["location"].partition("#")
    (code,) = parse_qs(fragment)["weft_code"]
    assert (back.status_code, path) == (303, "/app?tab=1")
    client = place.browser()
    given = await client.post("/api/v1/auth/oidc/token", json={"code": code})
    assert (await place.me(given))["email"] == person["email"]
    again = await client.post("/api/v1/auth/oidc/token", json={"code": code})
    assert (again.status_code, again.json()["code"]) == (400, "oidc_code_unknown")
    denied = await place.come_back(*await place.begin(return_to="/app"), code=None, error="access_denied")
    assert (denied.status_code, denied.headers["location"]) == (303, "/app#weft_error=oidc_denied")


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example", "app", "/a#b", "/a\r\nb", "/" + "x" * 550])
async def test_nobody_is_sent_elsewhere_by_us(place: Place, path: str) -> None:
    refused = await place.browser().get(START, params={"provider": "plain", "return_to": path})
    assert (refused.status_code, refused.json()["code"]) == (400, "oidc_bad_return_to")


async def test_who_is_signed_in_links_a_provider_and_is_known_by_it_from_then_on(place: Place) -> None:
    editor = await signed_in(place.gateway, "editor@demo.weft")
    me = (await editor.get("/api/v1/me")).json()
    person = somebody(email="editor@demo.weft")
    assert (await place.sign_in(**person)).status_code == 409
    linked = await editor.post("/api/v1/auth/oidc/links", json={"provider": "plain"})
    place.fake.person = person
    back = await place.come_back(place.fake.authorize(linked.json()["authorize_url"]), linked.headers["set-cookie"].partition(";")[0])
    assert (await place.me(back))["id"] == me["id"]
    assert (await place.me(await place.sign_in(**person)))["id"] == me["id"]
    approver = await holding(place.gateway, "approver")
    theirs = await approver.post("/api/v1/auth/oidc/links", json={"provider": "plain"})
    taken = await place.come_back(place.fake.authorize(theirs.json()["authorize_url"]), theirs.headers["set-cookie"].partition(";")[0])
    assert (taken.status_code, taken.json()["code"]) == (409, "oidc_identity_taken")
    admin = await holding(place.gateway, "admin")
    key = (await admin.post("/api/v1/api-keys", json={"name": "k", "roles": ["viewer"]})).json()["key"]
    robot = place.browser()
    robot.headers["Authorization"] = f"Bearer {key}"
    assert (await robot.post("/api/v1/auth/oidc/links", json={"provider": "plain"})).json()["code"] == "key_links_nobody"


async def test_signing_out_ends_the_session_and_tells_where_the_providers_ends(place: Place) -> None:
    tokens = (await place.sign_in(**somebody())).json()
    client = place.browser()
    out = await client.post("/api/v1/auth/oidc/logout", json={"refresh_token": tokens["refresh_token"]})
    where = urlsplit(out.json()["logout_url"])
    assert (where.path, parse_qs(where.query)["post_logout_redirect_uri"]) == ("/end", ["https://weft.example/"])
    assert (await client.post("/api/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})).status_code == 401
    other = (await login(client, "editor@demo.weft")).json()["refresh_token"]
    assert (await client.post("/api/v1/auth/oidc/logout", json={"refresh_token": other})).json() == {"logout_url": None}


async def test_providers_are_listed_and_one_that_is_not_set_up_or_is_another_is_refused(place: Place) -> None:
    client = place.browser()
    listed = (await client.get("/api/v1/auth/oidc/providers")).json()["items"]
    assert {"name": "plain", "label": "Acme"} in listed
    for query in ({}, {"provider": "nobody"}):
        unknown = await client.get(START, params=query)
        assert (unknown.status_code, unknown.json()["code"]) == (404, "oidc_provider_not_found")
    away = await client.get(START, params={"provider": "elsewhere"})
    assert (away.status_code, away.json()["code"]) == (503, "oidc_provider_unavailable")
