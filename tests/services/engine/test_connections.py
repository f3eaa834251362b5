"""Connections through the HTTP door, on a real database: written, read and used, and their secrets nowhere but in a worker's memory."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from structlog.testing import capture_logs
from weft_contracts.connections import ConnectionRemoved, ConnectionSaved
from weft_contracts.message import Message
from weft_engine.tables import metadata
from weft_runtime.sealing import Envelope
from weft_runtime.testing import said

from tests.connectors.server import serving
from tests.services.engine.conftest import Engine, echo

CANARY = "canary-5f1c77-of-a-bank"
OLD_CANARY = "canary-0a9e42-of-a-bank"
CONNECTIONS = "/api/v1/connections"
HTTP: dict[str, Any] = {"type": "http", "settings": {"base_url": "https://bank.example/v1", "auth": "bearer"}, "secrets": {"token": CANARY}}
HOOK: dict[str, Any] = {"type": "webhook", "secrets": {"secret": CANARY}}


async def made(engine: Engine, name: str, body: dict[str, Any] = HTTP, **more: Any) -> dict[str, Any]:
    answer = await engine.client.post(CONNECTIONS, json={"name": name, **body, **more})
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def told(engine: Engine, connection: dict[str, Any]) -> list[ConnectionSaved | ConnectionRemoved]:
    """What was said of a connection, in order."""
    words: list[ConnectionSaved | ConnectionRemoved] = [*said(engine.service, ConnectionSaved)]
    words += said(engine.service, ConnectionRemoved)
    return sorted((word for word in words if str(word.connection_id) == connection["id"]), key=lambda word: word.revision)


async def test_a_connection_is_made_read_and_listed_without_its_secrets(engine: Engine) -> None:
    answer = await engine.client.post(CONNECTIONS, json={"name": "Read bank", "description": "d", **HTTP})
    shown = answer.json()
    assert (answer.status_code, answer.headers["etag"], answer.headers["location"]) == (201, '"1"', f"{CONNECTIONS}/{shown['id']}")
    known = {name: shown[name] for name in ("name", "type", "description", "settings", "version", "created_by")}
    assert known == {
        "name": "Read bank", "type": "http", "description": "d", "version": 1, "created_by": shown["updated_by"],
        "settings": {"base_url": "https://bank.example/v1", "auth": "bearer", "headers": {}},
    }  # fmt: skip
    assert shown["secrets"] == {"token": {"set": True, "updated_at": shown["updated_at"]}}
    assert (await engine.client.get(f"{CONNECTIONS}/{shown['id']}")).json() == shown
    listed = (await engine.client.get(f"{CONNECTIONS}?type=http&limit=200")).json()["items"]
    (mine,) = [one for one in listed if one["id"] == shown["id"]]
    assert set(shown) - set(mine) == {"settings", "secrets", "updated_by"}
    (word,) = told(engine, shown)
    assert isinstance(word, ConnectionSaved)
    assert (word.name, word.connection_type, word.revision, word.sealed) == ("Read bank", "http", 1, {})


async def test_a_change_keeps_secrets_that_are_left_out_and_tells_what_it_is_of(engine: Engine) -> None:
    before = await made(
        engine, "Changing", {**HTTP, "settings": {**HTTP["settings"], "auth": "basic"}, "secrets": {"username": "u", "password": CANARY}}
    )
    settings = {"base_url": "https://bank.example/v2", "auth": "basic"}
    changed = await engine.client.put(f"{CONNECTIONS}/{before['id']}", json={"settings": settings}, headers={"If-Match": '"1"'})
    after = changed.json()
    assert (changed.status_code, after["version"], after["secrets"]) == (200, 2, before["secrets"])
    again = await engine.client.put(f"{CONNECTIONS}/{before['id']}", json={"settings": settings, "name": "Changing", "type": "http"})
    assert again.json() == after, "nothing has changed, so it is the same version"
    moved = await engine.client.put(f"{CONNECTIONS}/{before['id']}", json={"settings": settings}, headers={"If-Match": '"1"'})
    assert (moved.status_code, moved.json()["code"]) == (412, "connection_moved")
    removed = (await engine.client.put(f"{CONNECTIONS}/{before['id']}", json={"settings": settings, "secrets": {"password": None}})).json()
    assert (sorted(removed["secrets"]), removed["version"]) == (["username"], 3)
    missing = await engine.client.put(f"{CONNECTIONS}/{before['id']}", json={"settings": settings, "secrets": {"username": None}})
    assert (missing.status_code, [error["pointer"] for error in missing.json()["errors"]]) == (422, ["/secrets/username"])
    other = (
        await engine.client.put(
            f"{CONNECTIONS}/{before['id']}", json={"settings": {**settings, "auth": "bearer"}, "secrets": {"token": CANARY}}
        )
    ).json()
    assert sorted(other["secrets"]) == ["token"], "what these settings do not have is gone"
    for body in ({"name": "Other"}, {"type": "webhook"}):
        fixed = await engine.client.put(f"{CONNECTIONS}/{before['id']}", json={"settings": settings, **body, "secrets": {"username": "u"}})
        assert (fixed.status_code, fixed.json()["errors"][0]["pointer"]) == (422, f"/{next(iter(body))}")
    assert [word.revision for word in told(engine, before)] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("where", "base_url"),
    [("host", "https://elsewhere.example/v1"), ("scheme", "http://bank.example/v1"), ("port", "https://bank.example:8443/v1")],
)
async def test_no_secret_goes_to_another_origin_with_the_settings(engine: Engine, where: str, base_url: str) -> None:
    before = await made(engine, f"Another {where}")
    settings = {"base_url": base_url, "auth": "bearer"}
    refused = await engine.client.put(f"{CONNECTIONS}/{before['id']}", json={"settings": settings})
    assert (refused.status_code, [error["pointer"] for error in refused.json()["errors"]]) == (422, ["/secrets/token"])
    same = {"base_url": "https://BANK.example:443/v3", "auth": "bearer"}
    assert (await engine.client.put(f"{CONNECTIONS}/{before['id']}", json={"settings": same})).status_code == 200
    given = await engine.client.put(f"{CONNECTIONS}/{before['id']}", json={"settings": settings, "secrets": {"token": CANARY}})
    assert (given.status_code, sorted(given.json()["secrets"])) == (200, ["token"])


async def test_two_cannot_have_one_name_and_one_that_is_gone_leaves_it_free(engine: Engine) -> None:
    first = await made(engine, "Only one")
    taken = await engine.client.post(CONNECTIONS, json={"name": "Only one", **HOOK})
    assert (taken.status_code, taken.json()["code"]) == (409, "connection_name_taken")
    moved = await engine.client.delete(f"{CONNECTIONS}/{first['id']}", headers={"If-Match": '"7"'})
    assert moved.status_code == 412
    gone = await engine.client.delete(f"{CONNECTIONS}/{first['id']}", headers={"If-Match": '"1"'})
    assert (gone.status_code, (await engine.client.get(f"{CONNECTIONS}/{first['id']}")).status_code) == (204, 404)
    second = await made(engine, "Only one", HOOK)
    assert [type(word).__name__ for word in told(engine, first)] == ["ConnectionSaved", "ConnectionRemoved"]
    assert second["id"] > first["id"], "who keeps a copy knows the later one by its id"


async def test_a_connection_that_an_active_workflow_names_is_not_removed(engine: Engine) -> None:
    bank, hook = await made(engine, "Named bank"), await made(engine, "Named hook", HOOK)
    call = {"id": "a", "type": "http.request", "with": {"connection": "Named bank", "url": "/"}}
    group = {
        "id": "g",
        "type": "group",
        "with": {"nodes": [{"id": "b", "type": "set", "with": {"x": 1}, "compensate": {"type": "http.request", "with": call["with"]}}]},
    }
    await engine.publish("naming-a", nodes=[call])
    await engine.publish("naming-b", nodes=[group])
    await engine.publish("naming-not", nodes=[{"id": "a", "type": "set", "with": {"connection": "Named", "x": "Named hook"}}])
    refused = await engine.client.delete(f"{CONNECTIONS}/{bank['id']}")
    assert (refused.status_code, refused.json()["code"], refused.json()["workflows"]) == (
        409,
        "connection_in_use",
        ["naming-a", "naming-b"],
    )
    assert (await engine.client.delete(f"{CONNECTIONS}/{hook['id']}")).status_code == 204


WRONG: list[tuple[dict[str, Any], set[str]]] = [
    ({"type": "ftp"}, {"/type"}),
    ({"name": "{{ x }}"}, {"/name"}),
    ({"name": " bank"}, {"/name"}),
    ({"settings": {}}, {"/settings/base_url"}),
    ({"settings": {"base_url": "bank.example", "auth": "none"}}, {"/settings/base_url"}),
    ({"settings": {"base_url": "https://u:p@bank.example", "auth": "none"}}, {"/settings/base_url"}),
    ({"settings": {"base_url": "https://bank.example?key=1", "auth": "none"}}, {"/settings/base_url"}),
    ({"settings": {"base_url": "https://bank.example", "auth": "oauth"}}, {"/settings/auth"}),
    ({"settings": {"base_url": "https://bank.example", "auth": "header"}}, {"/settings"}),
    ({"settings": {"base_url": "https://bank.example", "auth": "header", "header": "User-Agent"}}, {"/settings/header"}),
    ({"settings": {"base_url": "https://bank.example", "auth": "header", "header": "a b"}}, {"/settings/header"}),
    ({"settings": {"base_url": "https://bank.example", "headers": {"X-Api-Key": "k"}}}, {"/settings/headers"}),
    ({"settings": {"base_url": "https://bank.example", "headers": {"Host": "x"}}}, {"/settings/headers"}),
    ({"settings": {"base_url": "https://bank.example", "headers": {"Idempotency-Key": "1"}}}, {"/settings/headers"}),
    ({"settings": {"base_url": "https://bank.example", "headers": {"X": "a\r\nb"}}}, {"/settings/headers"}),
    ({"settings": {"base_url": "https://bank.example", "test_path": "https://evil.example"}}, {"/settings/test_path"}),
    ({"settings": {**HTTP["settings"], "nope": 1}}, {"/settings/nope"}),
    ({"secrets": {}}, {"/secrets/token"}),
    ({"secrets": {"token": ""}}, {"/secrets/token"}),
    ({"secrets": {"token": 7}}, {"/secrets/token"}),
    ({"secrets": {"token": "a\nb"}}, {"/secrets/token"}),
    ({"secrets": {"token": "x" * 9000}}, {"/secrets/token"}),
    ({"secrets": {"token": "t", "password": "p"}}, {"/secrets/password"}),
    ({"secrets": {"token": "t", CANARY: "p"}}, {"/secrets"}),
    ({"type": "webhook", "settings": {"url": "x"}, "secrets": {"secret": "s"}}, {"/settings/url"}),
    ({"type": "webhook", "settings": {}, "secrets": {"previous_secret": "s"}}, {"/secrets/secret"}),
]  # fmt: skip


@pytest.mark.parametrize(("change", "pointers"), WRONG)
async def test_what_is_wrong_is_pointed_at(engine: Engine, change: dict[str, Any], pointers: set[str]) -> None:
    answer = await engine.client.post(CONNECTIONS, json={"name": "Wrong", **HTTP, **change})
    assert (answer.status_code, {error["pointer"] for error in answer.json()["errors"]}) == (422, pointers), answer.text
    assert CANARY not in answer.text


async def test_who_may_read_may_not_write_and_another_tenant_sees_nothing(engine: Engine) -> None:
    mine = await made(engine, "Guarded")
    editor, viewer = (engine.service.client("acme", [role]) for role in ("editor", "viewer"))
    assert (await editor.get(f"{CONNECTIONS}/{mine['id']}")).status_code == 200
    assert (await viewer.get(CONNECTIONS)).status_code == 403
    refused = [
        editor.post(CONNECTIONS, json={"name": "x", **HTTP}),
        editor.put(f"{CONNECTIONS}/{mine['id']}", json={}),
        editor.delete(f"{CONNECTIONS}/{mine['id']}"),
        editor.post(f"{CONNECTIONS}/{mine['id']}/test"),
    ]
    assert [answer.status_code for answer in await asyncio.gather(*refused)] == [403] * 4
    other = engine.service.client("elsewhere")
    missing = [
        other.get(f"{CONNECTIONS}/{mine['id']}"),
        other.put(f"{CONNECTIONS}/{mine['id']}", json={"settings": HTTP["settings"]}),
        other.delete(f"{CONNECTIONS}/{mine['id']}"),
        other.post(f"{CONNECTIONS}/{mine['id']}/test"),
    ]
    assert [answer.status_code for answer in await asyncio.gather(*missing)] == [404] * 4
    assert mine["id"] not in (await other.get(f"{CONNECTIONS}?limit=200")).text
    oauth = await engine.client.get(f"{CONNECTIONS}/{mine['id']}/oauth/start")
    assert (oauth.status_code, oauth.json()["code"]) == (409, "oauth_not_supported")


async def test_a_webhooks_secrets_are_told_sealed_for_whoever_verifies_its_calls(engine: Engine) -> None:
    hook = await made(engine, "Told", HOOK)
    rotated = {"secrets": {"secret": "canary-of-today", "previous_secret": CANARY}}
    assert (await engine.client.put(f"{CONNECTIONS}/{hook['id']}", json=rotated)).status_code == 200
    (_, word) = told(engine, hook)
    assert isinstance(word, ConnectionSaved)
    assert CANARY not in word.model_dump_json()
    envelope = Envelope(engine.service.context.settings.secret_key.get_secret_value())
    place = {"tenant": "acme", "connection": hook["id"]}
    opened = {name: envelope.open(sealed, **place, field=name) for name, sealed in word.sealed.items()}
    assert opened == rotated["secrets"]


async def everything_kept(engine: Engine) -> str:
    """Every row of every table of the engine's schema, as text."""
    found: list[str] = []
    async with engine.service.context.owner_transaction() as uow:
        tables = (
            await uow.conn.execute(
                sa.text("SELECT relname FROM pg_class WHERE relnamespace = 'engine'::regnamespace AND relkind IN ('r', 'p')")
            )
        ).scalars()
        for table in tables.all():
            found += (await uow.conn.execute(sa.text(f'SELECT t::text FROM engine."{table}" t'))).scalars()
    return "\n".join(found)


async def test_a_secret_is_nowhere_but_in_the_call_that_it_was_made_for(engine: Engine, caller: None) -> None:
    answers: list[str] = []
    with capture_logs() as logged:
        async with serving(echo) as server:
            body = {"type": "http", "settings": {"base_url": f"{server.url}/v1", "auth": "bearer"}, "secrets": {"token": OLD_CANARY}}
            bank = await made(engine, "Canary", body)
            headers = {"Idempotency-Key": "canary-1"}
            answers += [(await engine.client.post(CONNECTIONS, json={"name": "Canary", **body}, headers=headers)).text for _ in range(2)]
            await engine.publish("canary", nodes=[
                {"id": "pay", "type": "http.request", "with": {"connection": "Canary", "url": "/pay"}},
                {"id": "not", "type": "http.request", "with": {"connection": "Canary", "url": "https://evil.example"}},
            ])  # fmt: skip
            changed = await engine.client.put(
                f"{CONNECTIONS}/{bank['id']}", json={"settings": body["settings"], "secrets": {"token": CANARY}}
            )
            assert changed.status_code == 200
            execution = await engine.start("canary")
            shown = await engine.ended(execution)
            tried = await engine.client.post(f"{CONNECTIONS}/{bank['id']}/test")
        assert [(one.target, one.header("authorization")) for one in server.heard] == [("/v1/pay", f"Bearer {CANARY}")]
        assert (shown["status"], shown["error"]["code"], shown["error"]["permanent"]) == ("failed", "http_other_origin", True)
        assert (tried.status_code, tried.json()["ok"], tried.json()["code"]) == (200, False, "http_blocked")
        told = [f"/api/v1/executions/{execution}{rest}" for rest in ("", "/steps", "/history", "/effects", "/explain", "/state?at=3")]
        told += [f"{CONNECTIONS}/{bank['id']}", CONNECTIONS, "/api/v1/parked", "/api/v1/suspensions", "/api/v1/openapi.json"]
        answers += [changed.text, tried.text, *[(await engine.client.get(path)).text for path in told]]
        structlog.get_logger("canary").warning("shown", connection=repr(bank))
    words = "".join(word.model_dump_json() for word in said(engine.service, Message))
    kept = await everything_kept(engine)
    assert "Bearer ***" in kept, "the answer is kept, without what it repeats"
    assert "weft1." in kept, "and so are secrets, sealed"
    places = {"answers": "".join(answers), "database": kept, "words": words, "logs": str(logged)}
    assert [name for name, text in places.items() if CANARY in text or OLD_CANARY in text] == []


async def test_a_node_that_names_a_connection_that_is_not_there_fails_for_good_and_a_retry_finds_it(engine: Engine, caller: None) -> None:
    await engine.publish("missing", nodes=[{"id": "pay", "type": "http.request", "with": {"connection": "Late", "url": "/pay"}}])
    execution = await engine.start("missing")
    failed = await engine.ended(execution)
    assert (failed["error"]["code"], failed["error"]["permanent"], failed["error"]["attempt"]) == ("unknown_connection", True, 1)
    assert "'Late'" in failed["error"]["message"]
    async with serving(echo) as server:
        await made(engine, "Late", {"type": "http", "settings": {"base_url": server.url}})
        assert (await engine.client.post(f"/api/v1/executions/{execution}/retry", json={})).status_code == 200
        assert (await engine.ended(execution))["status"] == "completed"
    assert [one.target for one in server.heard] == ["/pay"]


async def test_a_secret_that_was_sealed_by_another_key_says_so(engine: Engine, caller: None) -> None:
    bank = await made(engine, "Locked")
    async with engine.service.context.owner_transaction("acme") as uow:
        sealed = Envelope("the key of another installation").close(CANARY, tenant="acme", connection=bank["id"], field="token")
        secrets = metadata.tables["engine.connection_secrets"]
        await uow.conn.execute(sa.update(secrets).where(secrets.c.connection_id == sa.cast(bank["id"], sa.Uuid)).values(sealed=sealed))
    tried = (await engine.client.post(f"{CONNECTIONS}/{bank['id']}/test")).json()
    assert (tried["ok"], tried["code"]) == (False, "sealed_by_another_key")
    assert "WEFT_SECRET_KEY" in tried["detail"]
