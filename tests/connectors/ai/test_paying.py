"""Each call of a model is reserved before it and settled after it, whatever becomes of it."""

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from weft_connectors.activity import ActivityCall, ActivityError
from weft_connectors.ai.accounts import ModelCall, Used
from weft_connectors.ai.calling import Asker
from weft_connectors.ai.models import model_of
from weft_connectors.ai.paying import Purse
from weft_connectors.ai.port import Prompt, Said
from weft_connectors.connections import OpenConnection
from weft_connectors.guarded import Answer, Outgoing
from weft_connectors.plug import Plug, trial

from tests.connectors.ai.conftest import PRICES, asking

SETTINGS: dict[str, Any] = {"provider": "openai", "base_url": "http://127.0.0.1:9/v1", "models": {"default": "gpt-fake"}, "prices": PRICES}
NOWHERE = OpenConnection("brain", "ai", SETTINGS, {})


@dataclass
class Book:
    """Accounts that let everything pass, and tell what was put down. settled: set by each settlement."""

    reserved: list[ModelCall] = field(default_factory=list)
    used: list[Used] = field(default_factory=list)
    settled: asyncio.Event = field(default_factory=asyncio.Event)

    async def tier(self, call: ActivityCall, tier: str | None) -> str | None:
        return tier

    async def reserve(self, call: ActivityCall, asked: ModelCall) -> UUID:
        self.reserved.append(asked)
        return uuid4()

    async def settle(self, call: ActivityCall, asked: ModelCall, reserved: UUID, used: Used) -> None:
        self.used.append(used)
        self.settled.set()

    async def note(self, call: ActivityCall, asked: ModelCall, used: Used) -> None:
        self.used.append(used)

    async def recall(self, call: ActivityCall, key: str) -> dict[str, Any] | None:
        return None

    async def remember(self, call: ActivityCall, key: str, output: dict[str, Any], for_s: float) -> None:
        return


class Silent(Plug):
    """A plug on which nobody answers. asked: set once something was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def send(self, call: ActivityCall, request: Outgoing, connection: OpenConnection | None = None) -> Answer:
        self.asked.set()
        return await asyncio.Future()


async def test_a_call_that_is_given_up_is_settled_as_the_most_that_it_can_cost() -> None:
    book, plug = Book(), Silent()
    purse = Purse(trial("ai.generate", {}), plug, 1.0, book)
    asking_ = asyncio.create_task(purse.ask(model_of(NOWHERE, None), Prompt("s", (Said("user", "u"),), 10), "key", 60))
    await plug.asked.wait()
    asking_.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking_
    await book.settled.wait()
    (reserved,), (used,) = book.reserved, book.used
    assert reserved.most is not None
    assert (used.outcome, used.code, used.cost, purse.spent.at_risk) == ("unanswered", "ai_timeout", reserved.most, reserved.most)


async def test_what_was_never_sent_costs_nothing() -> None:
    book = Book()
    async with asking(Asker(accounts=book)) as ask:
        with pytest.raises(ActivityError) as error:
            await ask("generate", NOWHERE, instructions="Write.")
    assert (error.value.code, [(one.outcome, one.code, one.cost) for one in book.used]) == (
        "ai_unreachable", [("failed", "ai_unreachable", Decimal(0))],
    )  # fmt: skip


async def test_what_max_cost_forbids_is_told_as_refused_and_never_reserved() -> None:
    book = Book()
    async with asking(Asker(accounts=book)) as ask:
        with pytest.raises(ActivityError) as error:
            await ask("generate", NOWHERE, instructions="Write.", max_cost=0.000001)
    assert (error.value.code, book.reserved, [(one.outcome, one.code) for one in book.used]) == (
        "ai_over_budget", [], [("refused", "ai_over_budget")],
    )  # fmt: skip
