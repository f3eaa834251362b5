"""Connections to databases of which tables are watched: their settings, and where their password goes."""

from __future__ import annotations

from typing import Any

import pytest
from weft_contracts.connections import ConnectionSaved

from tests.services.engine.conftest import Engine
from tests.services.engine.test_connections import CANARY, CONNECTIONS, made, told

ROWS: dict[str, Any] = {
    "type": "postgres",
    "settings": {"host": "db.shop.example", "database": "shop"},
    "secrets": {"username": "weft", "password": CANARY},
}
WRONG: list[tuple[dict[str, Any], set[str]]] = [
    ({"settings": {"host": "/run/postgresql", "database": "a"}}, {"/settings/host"}),
    ({"settings": {"host": "a.example,b.example", "database": "a"}}, {"/settings/host"}),
    ({"settings": {"host": "a.example", "database": "a", "sslmode": "prefer"}}, {"/settings/sslmode"}),
    ({"settings": {"host": "a.example", "database": "a", "password": "p"}}, {"/settings/password"}),
    ({"settings": {"host": "a.example", "database": "a", "ca": "-----BEGIN PRIVATE KEY-----"}}, {"/settings/ca"}),
    ({"secrets": {"username": "u"}}, {"/secrets/password"}),
]


@pytest.mark.parametrize(("change", "pointers"), WRONG)
async def test_what_is_wrong_is_pointed_at(engine: Engine, change: dict[str, Any], pointers: set[str]) -> None:
    answer = await engine.client.post(CONNECTIONS, json={"name": "Wrong", **ROWS, **change})
    assert (answer.status_code, {error["pointer"] for error in answer.json()["errors"]}) == (422, pointers), answer.text


@pytest.mark.parametrize("change", [{"host": "db.elsewhere.example"}, {"port": 6432}, {"sslmode": "disable"}])
async def test_no_password_goes_to_another_database_or_less_guarded_with_the_settings(engine: Engine, change: dict[str, Any]) -> None:
    before = await made(engine, f"Rows {next(iter(change))}", ROWS)
    assert before["settings"] == {"host": "db.shop.example", "port": 5432, "database": "shop", "sslmode": "verify-full"}
    refused = await engine.client.put(f"{CONNECTIONS}/{before['id']}", json={"settings": ROWS["settings"] | change})
    wanted = {"/secrets/username", "/secrets/password"}
    assert (refused.status_code, {error["pointer"] for error in refused.json()["errors"]}) == (422, wanted)
    other = {"settings": ROWS["settings"] | {"database": "archive", "port": 5432}}
    assert (await engine.client.put(f"{CONNECTIONS}/{before['id']}", json=other)).status_code == 200
    assert (await engine.client.post(f"{CONNECTIONS}/{before['id']}/test")).json()["ok"] is True
    word = told(engine, before)[-1]
    assert isinstance(word, ConnectionSaved)
    assert (sorted(word.sealed), CANARY in word.model_dump_json()) == (["password", "username"], False)
