"""Executions that evaluate much do not keep the process from everything else, however many come at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from weft_engine.hotloop.deciding import Turnout

from tests.services.engine.conftest import Engine
from tests.services.engine.test_repeats import asked, neighbours, say

COSTLY = 10
HEAVY = {"id": "a", "type": "set", "with": {"x": "{{ lists.range(20000).map(n, n * 2).size() }}"}}


async def test_others_of_the_process_have_their_turn_between_costly_items_of_one(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    await engine.publish("costly", nodes=[HEAVY])
    rounds, seen = 0, list[int]()
    decide = Turnout.decide

    def noted(turnout: Turnout, *given: Any) -> Any:
        seen.append(rounds)
        return decide(turnout, *given)

    async def others() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(Turnout, "decide", noted)
    going_on = asyncio.create_task(others())
    ids = neighbours(COSTLY)
    await say(engine, *(asked(id_, "costly") for id_ in ids))
    for id_ in ids:
        await engine.begun(str(id_))
        assert (await engine.ended(str(id_)))["status"] == "completed"
    going_on.cancel()
    assert len(set(seen[:COSTLY])) == COSTLY
