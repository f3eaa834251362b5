"""What an identity provider says: its ID tokens, its keys, and what it says when it is asked again."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc.jwk import ECKey
from weft_runtime.testing import eventually

from tests.services.gateway.identity_provider import CLIENT_ID
from tests.services.gateway.oidc_sign_ins import Place, place, service, somebody

__all__ = ["place", "service"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"iss": "https://evil.example"}, "oidc_wrong_issuer"),
        ({"aud": "another client"}, "oidc_wrong_audience"),
        ({"aud": [CLIENT_ID, "another client"]}, "oidc_wrong_audience"),
        ({"aud": [CLIENT_ID, "another client"], "azp": "another client"}, "oidc_wrong_audience"),
        ({"azp": "another client"}, "oidc_wrong_audience"),
        ({"aud": None}, "oidc_wrong_audience"),
        ({"nonce": "of another sign-in"}, "oidc_wrong_nonce"),
        ({"nonce": None}, "oidc_wrong_nonce"),
        ({"exp": 1}, "oidc_token_expired"),
        ({"exp": None}, "oidc_token_expired"),
        ({"exp": "soon"}, "oidc_token_expired"),
        ({"iat": None}, "oidc_token_too_early"),
        ({"iat": 9e10}, "oidc_token_too_early"),
        ({"nbf": 9e10}, "oidc_token_too_early"),
        ({"sub": None}, "oidc_bad_subject"),
        ({"sub": "x" * 256}, "oidc_bad_subject"),
        ({"sub": 7}, "oidc_bad_subject"),
        ({"at_hash": "of-another-token"}, "oidc_other_access_token"),
    ],
)
async def test_a_token_that_is_no_answer_to_us_lets_nobody_in(place: Place, said: dict[str, Any], code: str) -> None:
    place.fake.said = said
    refused = await place.sign_in(**somebody())
    assert (refused.status_code, refused.json()["code"]) == (400, code)


async def test_clocks_may_differ_a_little(place: Place) -> None:
    at = int(place.gateway.clock.now().timestamp())
    place.fake.said = {"exp": at - 20, "iat": at + 20, "nbf": at + 20, "aud": [CLIENT_ID, "api"], "azp": CLIENT_ID}
    assert (await place.sign_in(**somebody())).status_code == 200


@pytest.mark.parametrize("way", ["none", "HS256", "another key", "no kid", "own key", "unknown kid"])
async def test_a_token_that_is_not_signed_by_the_providers_key_lets_nobody_in(place: Place, way: str) -> None:
    fake = place.fake
    match way:
        case "none" | "HS256":
            fake.algorithm = way
        case "another key":
            fake.key, fake.algorithm = ECKey.generate_key("P-256"), "ES256"
        case "no kid":
            fake.header = {"kid": "no key of ours"}
        case "own key":
            fake.header = {"jwk": ECKey.generate_key("P-256").as_dict(private=False)}
        case "unknown kid":
            fake.kid = "of-nobody"
    refused = await place.sign_in(**somebody())
    assert (refused.status_code, refused.json()["code"]) == (400, "oidc_bad_token")


async def test_an_address_that_only_the_userinfo_tells_counts_where_it_is_of_the_same_person(place: Place) -> None:
    person = somebody()
    told = {"sub": person["sub"], "email": person["email"], "email_verified": True}
    place.fake.userinfo = told | {"sub": "another"}
    refused = await place.sign_in(sub=person["sub"])
    assert refused.json()["code"] == "oidc_no_email"
    place.fake.userinfo = told
    assert (await place.me(await place.sign_in(sub=person["sub"])))["email"] == person["email"]


async def test_keys_that_a_provider_changes_are_taken_up_and_not_asked_for_again(place: Place) -> None:
    place.fake.rotate("second")
    asked = place.fake.asked_for_keys

    async def let_in() -> bool | None:
        return (await place.sign_in(**somebody())).status_code == 200 or None

    # A provider is asked for keys that are not known once a second: another test may just have made it.
    assert await eventually(let_in, "a new key taken up")
    assert await let_in()
    assert place.fake.asked_for_keys == asked + 1
