"""Every route says who may call it and what it does; no two services answer at the same address."""

import importlib
from collections import Counter
from functools import cache

import pytest
from weft_runtime.http.door import Declared, Door

from tests.house.tree import SERVICES

PUBLIC = {
    "/.well-known/jwks.json": "the public keys that every service verifies tokens with",
    "/.well-known/revoked.json": "which keys were taken back; names no key",
    "/api/v1/auth/login": "who signs in has no token yet",
    "/api/v1/auth/refresh": "the refresh token in the body is the proof",
    "/api/v1/auth/logout": "the refresh token in the body is the proof",
    "/api/v1/auth/oidc/providers": "who signs in chooses one; names and labels only",
    "/api/v1/auth/oidc/start": "who signs in has no token yet",
    "/api/v1/auth/oidc/callback": "a browser comes back from a provider; the state, once, and the cookie it began with are the proof",
    "/api/v1/auth/oidc/token": "the code in the body is the proof, once",
    "/api/v1/auth/oidc/logout": "the refresh token in the body is the proof",
    "/api/v1/oauth/callback": "a browser comes back from a service; the state, once, and the cookie it began with are the proof",
    "/api/v1/openapi.json": "the description of the API",
    "/inbound/resend/{tenant}": "the signature of the notice is the proof",
    "/decisions/{token}": "the link is the proof: sealed, for one decision of one person, and it runs out",
    "/unsubscribe/{token}": "the link is the proof: sealed, for one person, and all that it does is to send them no more, or again",
    "/hooks/{tenant}/{path:path}": "the signature of the call is the proof; a webhook without one lets anybody in, as its author says",
}
"""The routes nobody has to sign in for, with the reason: a new one is a decision, so it is written down here."""


@cache
def routes(service: str) -> tuple[Declared, ...]:
    door: Door = importlib.import_module(f"weft_{service}.api").door
    return tuple(door.declared)


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_declares_who_may_call_it(service: str) -> None:
    assert [one.path for one in routes(service) if (one.rules.may is None) is not one.rules.public] == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_public_route_has_a_reason(service: str) -> None:
    assert [one.path for one in routes(service) if one.rules.public and one.path not in PUBLIC] == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_public_route_is_bounded(service: str) -> None:
    assert [one.path for one in routes(service) if one.rules.public and one.rules.per_minute is None] == []


def test_each_reason_is_that_of_a_public_route() -> None:
    assert sorted(PUBLIC) == sorted({one.path for service in SERVICES for one in routes(service) if one.rules.public})


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_says_what_it_does(service: str) -> None:
    assert [one.path for one in routes(service) if not one.endpoint.__doc__] == []


def test_no_two_routes_answer_at_one_address() -> None:
    counted = Counter((method, one.path) for service in SERVICES for one in routes(service) for method in one.methods)

    assert [address for address, times in counted.items() if times > 1] == []


def test_every_operation_has_a_name_of_its_own() -> None:
    # What the runtime adds to every service has the same name in each; whether it is there depends on who was built before.
    own = (one for service in SERVICES for one in routes(service) if not one.endpoint.__module__.startswith("weft_runtime."))
    counted = Counter(one.options.get("operation_id", one.endpoint.__name__) for one in own)

    assert [name for name, times in counted.items() if times > 1] == []
