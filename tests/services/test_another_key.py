"""Going over to another secret key: what the one before sealed still opens, is sealed anew, and needs it no more."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
import weft_engine.app
import weft_events.app
import weft_gateway.app
from weft.commands.secrets import reseal, resealed
from weft_contracts.connections import ConnectionSaved
from weft_engine.connections.opening import Opening
from weft_events.store import connections as copies
from weft_gateway.seed import PEOPLE, seed_demo
from weft_runtime.clock import SystemClock
from weft_runtime.sealing import Envelope, Resealed
from weft_runtime.testing import ManualClock, RunningService, running_service, said, tell
from weft_runtime.testing.running import TEST_SECRET

BEFORE, AFTER = "the secret key that is given up, long enough", TEST_SECRET
CANARY = "canary-71c2aa"
TOKEN = {"name": "bank", "type": "http", "settings": {"base_url": "https://bank.example", "auth": "bearer"}, "secrets": {"token": CANARY}}
HOOK = {"name": "gh", "type": "webhook", "secrets": {"secret": CANARY, "previous_secret": "canary-too"}}
EMAIL, PASSWORD = "admin@demo.weft", "correct horse battery"


def running(url: str, app: Any, key: str, *before: str) -> AbstractAsyncContextManager[RunningService]:
    # Seeding reads the machine's clock, so theirs begins there.
    return running_service(app.build, url, clock=ManualClock(SystemClock().now()), secret_key=key, secret_keys_before=before)


async def read(engine: RunningService, name: str) -> dict[str, str]:
    return dict((await Opening(engine.context)("acme", name)).secrets)


async def copied(events: RunningService) -> dict[str, str]:
    async with events.context.transaction("acme") as uow:
        kept = (await copies.named(uow, "webhook", ["gh"]))["gh"]
    envelope, place = Envelope(*events.context.settings.secrets), {"tenant": "acme", "connection": str(kept.id)}
    return {field: envelope.open(text, **place, field=field) for field, text in kept.sealed.items()}


async def signs_in(gateway: RunningService) -> int:
    answer = await gateway.anonymous().post("/api/v1/auth/login", json={"email": EMAIL, "password": PASSWORD})
    return answer.status_code


async def test_what_is_sealed_goes_over_to_another_key(database_url: str) -> None:
    async with running(database_url, weft_engine.app, BEFORE) as engine:
        for body in (TOKEN, HOOK):
            assert (await engine.client("acme", ["admin"]).post("/api/v1/connections", json=body)).status_code == 201
        words = said(engine, ConnectionSaved)
    async with running(database_url, weft_events.app, BEFORE) as events:
        for word in words:
            await tell(events, word, tenant="acme")
    async with running(database_url, weft_gateway.app, BEFORE) as gateway:
        await seed_demo(gateway.context.settings.database_url.get_secret_value(), BEFORE, dict.fromkeys(PEOPLE, PASSWORD))

    # Both keys: what is kept opens. Without the one before it does not, and says so.
    async with running(database_url, weft_engine.app, AFTER, BEFORE) as engine:
        assert await read(engine, "bank") == TOKEN["secrets"]
    async with running(database_url, weft_events.app, AFTER, BEFORE) as events:
        assert await copied(events) == HOOK["secrets"]
    async with running(database_url, weft_gateway.app, AFTER, BEFORE) as gateway:
        assert await signs_in(gateway) == 200
    locked = await resealed(database_url, (AFTER,))
    assert {name: (one.anew, one.already, len(one.broken)) for name, one in locked.items()} == {
        "gateway": (0, 0, 1), "engine": (0, 0, 3), "events": (0, 0, 2),
    }  # fmt: skip
    assert CANARY not in str(locked)

    done = await resealed(database_url, (AFTER, BEFORE))
    assert done == {"gateway": Resealed(1, 0, ()), "engine": Resealed(3, 0, ()), "events": Resealed(2, 0, ())}
    again = await resealed(database_url, (AFTER,))
    assert again == {"gateway": Resealed(0, 1, ()), "engine": Resealed(0, 3, ()), "events": Resealed(0, 2, ())}

    # The new key alone.
    async with running(database_url, weft_engine.app, AFTER) as engine:
        assert (await read(engine, "bank"), await read(engine, "gh")) == (TOKEN["secrets"], HOOK["secrets"])
    async with running(database_url, weft_events.app, AFTER) as events:
        assert await copied(events) == HOOK["secrets"]
    async with running(database_url, weft_gateway.app, AFTER) as gateway:
        assert await signs_in(gateway) == 200


@pytest.mark.parametrize("given", ["the one before", "{}", "[1]"])
def test_keys_that_are_no_list_are_refused(given: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("WEFT_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("WEFT_SECRET_KEY", "new")
    monkeypatch.setenv("WEFT_SECRET_KEYS_BEFORE", given)
    with pytest.raises(SystemExit) as left:
        reseal()
    assert left.value.code == 1
    assert "a list in JSON" in capsys.readouterr().err
