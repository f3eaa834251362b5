"""Keys that change and tokens that are taken back, while the issuer answers and while it does not."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from weft_runtime.auth import Claims, Permission, SigningKey, SigningKeys, Verifier, permissions_of
from weft_runtime.auth.published import Fresh, HttpSource, Revocations, revocations
from weft_runtime.clock import SystemClock
from weft_runtime.errors import Unauthenticated, Unavailable
from weft_runtime.testing import TestIssuer
from werkzeug import Request, Response


class Gateway:
    """The issuer's two documents over HTTP."""

    def __init__(self, server: HTTPServer) -> None:
        self.keys = SigningKeys(SigningKey.generate())
        self.revoked: list[str] = []
        self.asked = 0
        self.sent = 0
        self.down = False
        server.expect_request("/.well-known/jwks.json").respond_with_handler(self._jwks)
        server.expect_request("/.well-known/revoked.json").respond_with_handler(self._revoked)
        self.source = HttpSource(server.url_for("/.well-known/jwks.json"))

    def _jwks(self, request: Request) -> Response:
        self.asked += 1
        return Response(status=503) if self.down else Response(json.dumps(self.keys.jwks()), content_type="application/json")

    def _revoked(self, request: Request) -> Response:
        etag = f'"{len(self.revoked)}"'
        if request.headers.get("If-None-Match") == etag:
            return Response(status=304)
        self.sent += 1
        return Response(json.dumps({"revoked": self.revoked}), headers={"ETag": etag}, content_type="application/json")

    def verifier(self, refresh_pause_s: float = 0.0) -> Verifier:
        return Verifier(self.source, SystemClock(), issuer="weft", audience="weft", refresh_pause_s=refresh_pause_s)

    def token(self, token_id: str | None = None) -> str:
        return self.keys.token(Claims("u", "acme"), SystemClock().now(), timedelta(hours=1), token_id=token_id)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with HTTPServer() as server:
        yield Gateway(server)


async def test_keys_are_read_once_and_kept(gateway: Gateway) -> None:
    verifier = gateway.verifier()
    for _ in range(5):
        await verifier.caller(gateway.token())
    assert gateway.asked == 1


async def test_a_token_of_the_next_key_is_believed_without_a_restart(gateway: Gateway) -> None:
    verifier = gateway.verifier()
    old = gateway.token()
    await verifier.caller(old)
    gateway.keys = gateway.keys.rotate()
    await verifier.caller(gateway.token())
    await verifier.caller(old)
    assert gateway.asked == 2


async def test_a_withdrawn_key_is_believed_no_more_once_the_set_was_read_again(gateway: Gateway) -> None:
    verifier = gateway.verifier()
    old = gateway.token()
    await verifier.caller(old)
    gateway.keys = SigningKeys(SigningKey.generate())
    await verifier.caller(gateway.token())
    with pytest.raises(Unauthenticated):
        await verifier.caller(old)


async def test_made_up_keys_do_not_make_us_ask_without_end(gateway: Gateway) -> None:
    verifier = gateway.verifier(refresh_pause_s=60)
    await verifier.caller(gateway.token())
    for _ in range(20):
        foreign = SigningKeys(SigningKey.generate())
        with pytest.raises(Unauthenticated) as refused:
            await verifier.caller(foreign.token(Claims("u", "acme"), SystemClock().now(), timedelta(hours=1)))
        assert refused.value.code == "unknown_key"
    assert gateway.asked == 1


async def test_while_the_issuer_is_away_known_keys_go_on_and_the_first_question_is_unavailable(gateway: Gateway) -> None:
    verifier = gateway.verifier()
    await verifier.caller(gateway.token())
    gateway.down = True
    await verifier.caller(gateway.token())
    with pytest.raises(Unavailable) as refused:
        await gateway.verifier().caller(gateway.token())
    assert refused.value.retry_after_s is not None


async def test_a_revoked_token_is_refused(gateway: Gateway) -> None:
    gateway.revoked.append("gone")
    verifier = gateway.verifier()
    with pytest.raises(Unauthenticated) as refused:
        await verifier.caller(gateway.token("gone"))
    assert refused.value.code == "token_revoked"
    assert (await verifier.caller(gateway.token("kept"))).token_id == "kept"


async def test_a_key_that_is_lowered_does_what_it_and_its_owner_may_and_a_person_is_never_lowered() -> None:
    issuer = TestIssuer()
    issuer.lowered.update({"mine": ["approver", "nobody-knows"], "none": []})

    def asked() -> Verifier:
        return Verifier(issuer.source, issuer.clock, issuer="weft", audience="weft")

    whole, mine, none = [
        await asked().caller(issuer.api_key(roles=["editor", "robots"], token_id=name)) for name in ("whole", "mine", "none")
    ]
    assert (whole.roles, whole.permissions) == (("editor", "robots"), permissions_of(["editor"]))
    assert (mine.roles, mine.permissions) == ((), permissions_of(["approver"]))
    assert (mine.may(Permission.TASKS_ACT), mine.may(Permission.WORKFLOWS_WRITE)) == (True, False)
    assert (none.roles, none.permissions) == ((), frozenset())
    assert (await asked().caller(issuer.token(roles=["editor"], token_id="mine"))).may(Permission.WORKFLOWS_WRITE)


@pytest.mark.parametrize("document", [{}, {"revoked": 7, "lowered": [1]}, {"revoked": [7], "lowered": {"k": 7}}])
def test_a_list_of_another_release_or_of_nonsense_takes_nothing_back(document: dict[str, Any]) -> None:
    assert revocations(document) == Revocations(frozenset(), {})


async def test_a_list_that_has_not_changed_is_not_sent_again(gateway: Gateway) -> None:
    gateway.revoked.append("one")
    assert [await gateway.source.revoked() for _ in range(2)] == [{"revoked": ["one"]}] * 2
    gateway.revoked.append("two")
    assert (await gateway.source.revoked(), gateway.sent) == ({"revoked": ["one", "two"]}, 2)


async def test_what_is_published_is_read_again_when_it_is_old() -> None:
    reads = iter(range(10))

    async def read() -> int:
        return next(reads)

    always = Fresh(read, ttl_s=-1, min_pause_s=0)
    assert [await always.get() for _ in range(3)] == [0, 1, 2]
    assert [await Fresh(read, ttl_s=60).get(), await Fresh(read, ttl_s=60).get()] == [3, 4]


def test_a_revocation_is_known_everywhere_within_ten_seconds() -> None:
    from weft_runtime.auth import verify

    assert verify.REVOKED_TTL_S <= 10
