"""Signing in to Slack by OAuth: the answer is taken once, in the browser that began it, for the connection it was begun for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from structlog.testing import capture_logs
from weft_contracts.connections import ConnectionSaved
from weft_engine.app import build
from weft_runtime.testing import running_service, said

from tests.connectors.server import saying
from tests.connectors.slack.fake import TOKEN, FakeSlack, slack
from tests.connectors.slack.sign_ins import CLIENT_ID, CLIENT_SECRET, SignIns
from tests.services.engine.conftest import Engine
from tests.services.engine.test_connections import CONNECTIONS, everything_kept, made

PUBLIC_URL = "https://weft.example"
CALLBACK = "/api/v1/oauth/callback"


@pytest.fixture(scope="module")
async def engine(database_url: str) -> AsyncIterator[Engine]:
    """An engine that browsers reach, and that may reach this machine."""
    async with running_service(build, database_url, allow_private_addresses=True, public_url=PUBLIC_URL) as service:
        yield Engine(service)


@dataclass
class Begun:
    """A sign-in that a person has agreed to. answer: what the browser is sent back with.  cookie: the browser's."""

    connection: dict[str, Any]
    answer: dict[str, str]
    cookie: str


@dataclass
class Person:
    """Somebody who manages connections, and Slack."""

    engine: Engine
    fake: FakeSlack
    sign_ins: SignIns

    async def connection(self, name: str) -> dict[str, Any]:
        settings = {"base_url": f"{self.fake.url}/api/", "authorize_url": f"{self.fake.url}/authorize", "client_id": CLIENT_ID}
        return await made(self.engine, name, {"type": "slack", "settings": settings, "secrets": {"client_secret": CLIENT_SECRET}})

    async def begin(self, connection: dict[str, Any]) -> Begun:
        started = await self.engine.client.get(f"{CONNECTIONS}/{connection['id']}/oauth/start")
        assert started.status_code == 200, started.text
        cookie = started.headers["set-cookie"].partition(";")[0]
        return Begun(connection, self.sign_ins.authorize(started.json()["authorize_url"]), cookie)

    async def come_back(self, begun: Begun, cookie: str | None = None, **changed: str | None) -> httpx2.Response:
        """The browser's way back; it signs in to nothing else, so it has no token."""
        asked = {name: value for name, value in {**begun.answer, **changed}.items() if value is not None}
        headers = {"Cookie": begun.cookie if cookie is None else cookie}
        return await self.engine.service.anonymous().get(CALLBACK, params=asked, headers=headers)

    async def shown(self, connection: dict[str, Any]) -> dict[str, Any]:
        view: dict[str, Any] = (await self.engine.client.get(f"{CONNECTIONS}/{connection['id']}")).json()
        return view


@pytest.fixture
async def person(engine: Engine) -> AsyncIterator[Person]:
    sign_ins = SignIns(PUBLIC_URL + CALLBACK)
    async with slack() as fake:
        fake.token_exchange = sign_ins.say
        yield Person(engine, fake, sign_ins)


async def test_who_lets_the_app_in_gives_the_connection_its_token(person: Person) -> None:
    with capture_logs() as logged:
        connection = await person.connection("Signed in")
        started = await person.engine.client.get(f"{CONNECTIONS}/{connection['id']}/oauth/start")
        cookie, *attributes = started.headers["set-cookie"].split("; ")
        begun = Begun(connection, person.sign_ins.authorize(started.json()["authorize_url"]), cookie)
        back = await person.come_back(begun)
        tried = await person.engine.client.post(f"{CONNECTIONS}/{connection['id']}/test")
        shown = await person.shown(connection)
        again = await person.come_back(await person.begin(connection))

    assert {"HttpOnly", "SameSite=Lax", "Secure", f"Path={CALLBACK}"} <= set(attributes)
    assert started.headers["cache-control"] == "no-store"
    assert (back.status_code, back.json()) == (200, {"connection_id": connection["id"], "name": "Signed in", "type": "slack", "version": 2})
    assert (set(shown["secrets"]), shown["version"], shown["updated_by"]) == ({"client_secret", "bot_token"}, 2, connection["created_by"])
    assert (tried.json()["ok"], again.status_code, again.json()["version"]) == (True, 200, 3)
    words = [word for word in said(person.engine.service, ConnectionSaved) if str(word.connection_id) == connection["id"]]
    assert ([word.revision for word in words], [word.sealed for word in words]) == ([1, 2, 3], [{}, {}, {}])
    state = parse_qs(urlsplit(started.json()["authorize_url"]).query)["state"][0]
    told = f"{back.text}{shown}{tried.text}{logged}{await everything_kept(person.engine)}"
    secrets = (TOKEN, CLIENT_SECRET, state, cookie.partition("=")[2], person.sign_ins.asked[0]["code_verifier"])
    assert [secret for secret in secrets if secret in told] == []


@pytest.mark.parametrize(
    ("name", "changed", "code"),
    [
        ("no state", {"state": None}, "oauth_state_invalid"),
        ("odd state", {"state": "../../etc"}, "oauth_state_invalid"),
        ("no code", {"code": None}, "oauth_no_code"),
        ("another code", {"code": "code-of-a-thief"}, "oauth_not_let_in"),
        ("refused", {"code": None, "error": "access_denied"}, "oauth_denied"),
        ("another issuer", {"iss": "https://evil.example"}, "oauth_other_issuer"),
        ("no cookie", {"cookie": ""}, "oauth_other_session"),
        ("another cookie", {"cookie": "weft_oauth=x; a=b"}, "oauth_other_session"),
    ],
)
async def test_an_answer_that_is_not_right_gives_no_token(name: str, changed: dict[str, Any], code: str, person: Person) -> None:
    begun = await person.begin(await person.connection(f"Refused {name}"))
    back = await person.come_back(begun, **changed)
    later = await person.come_back(begun)

    assert (back.status_code, back.json()["code"]) == (400, code)
    # A state that came back is used, whatever came of it; one that never came still waits.
    assert later.status_code == (200 if code == "oauth_state_invalid" else 400)
    assert ("bot_token" in (await person.shown(begun.connection))["secrets"]) is (later.status_code == 200)


async def test_an_answer_is_of_its_own_connection_tenant_and_browser(person: Person) -> None:
    one, other = [await person.begin(await person.connection(f"Mixed {name}")) for name in ("one", "other")]
    tenant, connection, chance = one.answer["state"].split("~")
    forged = [
        await person.come_back(one, state=f"{tenant}~{other.answer['state'].split('~')[1]}~{chance}"),
        await person.come_back(one, state=f"rival~{connection}~{chance}"),
        await person.come_back(one, state=f"{tenant}~{connection}~{'A' * 43}"),
    ]
    swapped = await person.come_back(one, cookie=other.cookie)
    of_the_other = await person.come_back(other)

    assert [(answer.status_code, answer.json()["code"]) for answer in forged] == [(400, "oauth_state_invalid")] * 3
    assert (swapped.status_code, swapped.json()["code"], of_the_other.status_code) == (400, "oauth_other_session", 200)
    assert "bot_token" not in (await person.shown(one.connection))["secrets"]


async def test_an_answer_is_taken_once_however_often_it_comes(person: Person) -> None:
    begun = await person.begin(await person.connection("Clicked twice"))
    backs = await asyncio.gather(*(person.come_back(begun) for _ in range(4)))

    assert sorted(back.status_code for back in backs) == [200, 400, 400, 400]
    assert (len(person.sign_ins.asked), (await person.shown(begun.connection))["version"]) == (1, 2)


async def test_a_sign_in_that_is_begun_again_a_change_and_time_end_the_one_before(person: Person) -> None:
    connection = await person.connection("Overtaken")
    first, second = await person.begin(connection), await person.begin(connection)
    overtaken = await person.come_back(first)
    changed = await person.engine.client.put(
        f"{CONNECTIONS}/{connection['id']}", json={"settings": {**connection["settings"], "scopes": ["chat:write"]}}
    )
    assert changed.status_code == 200, changed.text
    moved = await person.come_back(second)
    third = await person.begin(connection)
    person.engine.service.clock.advance(timedelta(minutes=10))
    late = await person.come_back(third)

    answers = [(back.status_code, back.json()["code"]) for back in (overtaken, moved, late)]
    assert answers == [(400, "oauth_state_invalid"), (400, "oauth_connection_changed"), (400, "oauth_expired")]
    assert person.sign_ins.asked == []


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"token_type": "user"}, "no bot token"),
        ({"access_token": ""}, "no bot token"),
        ({"refresh_token": "xoxe-canary", "expires_in": 43200}, "rotat"),
    ],
)
async def test_a_token_that_is_of_no_use_is_not_taken(more: dict[str, Any], told: str, person: Person) -> None:
    person.sign_ins.more = more
    begun = await person.begin(await person.connection(f"No use {told} {len(more['access_token']) if 'access_token' in more else 1}"))
    back = await person.come_back(begun)

    assert (back.status_code, back.json()["code"]) == (400, "oauth_not_let_in")
    assert told in back.json()["detail"]
    assert "xoxe-canary" not in back.text
    assert "bot_token" not in (await person.shown(begun.connection))["secrets"]


async def test_a_slack_that_is_not_there_gives_no_token(person: Person) -> None:
    person.fake.fail("oauth.v2.access", saying(503))
    back = await person.come_back(await person.begin(await person.connection("Not there")))

    assert (back.status_code, back.json()["code"]) == (400, "oauth_not_let_in")


async def test_only_who_manages_the_tenants_connections_begins_a_sign_in(person: Person) -> None:
    connection = await person.connection("Mine to begin")
    path = f"{CONNECTIONS}/{connection['id']}/oauth/start"
    by_hand = await made(person.engine, "By hand", {"type": "slack", "secrets": {"bot_token": TOKEN}})
    answers = [
        await person.engine.service.client("acme", roles=["editor"]).get(path),
        await person.engine.service.client("rival").get(path),
        await person.engine.client.get(f"{CONNECTIONS}/{by_hand['id']}/oauth/start"),
    ]

    codes = [(answer.status_code, answer.json()["code"]) for answer in answers]
    assert codes == [(403, "forbidden"), (404, "connection_not_found"), (409, "oauth_not_supported")]
