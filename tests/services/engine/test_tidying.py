"""What is no longer needed is forgotten, whatever else there is to be seen to meets a bug."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from weft_engine import app
from weft_engine.budgets import accounts
from weft_engine.settings import Settings

from tests.services.engine.conftest import Engine


async def test_a_bug_in_the_accounts_of_models_keeps_nothing_else_from_being_forgotten(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    pruned = asyncio.Event()

    async def bug(_: object) -> None:
        raise ValueError("a bug")

    async def prune(_: object) -> None:
        pruned.set()

    monkeypatch.setattr(accounts, "settle_expired", bug)
    monkeypatch.setattr(app, "prune_answers", prune)
    context = engine.service.context
    tidying = asyncio.create_task(app.tidy(cast(Settings, context.settings), context))
    waiting = asyncio.create_task(pruned.wait())
    await asyncio.wait({tidying, waiting}, return_when=asyncio.FIRST_COMPLETED)
    tidying.cancel()
    waiting.cancel()
    await asyncio.gather(tidying, waiting, return_exceptions=True)
    assert pruned.is_set()
