"""Calls of the actions against fakes on this machine."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from weft_connectors.activity import ActivityCall
from weft_connectors.ai import WITH
from weft_connectors.ai.calling import Asker
from weft_connectors.connections import OpenConnection
from weft_connectors.plug import Plug, plugged

from tests.connectors.ai.fakes import KEY, Provider

PRICES = {"gpt-fake": {"input": 2.5, "output": 10.0}, "claude-fake": {"input": 3.0, "output": 15.0}}
Ask = Callable[..., Awaitable[Any]]


def connection(provider: Provider, kind: str = "openai", name: str = "brain", **more: Any) -> OpenConnection:
    models = {"default": "claude-fake" if kind == "anthropic" else "gpt-fake"}
    settings = {"provider": kind, "base_url": provider.base_url, "models": models, "prices": PRICES, **more}
    return OpenConnection(name, "ai", settings, {"api_key": KEY})


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    """Calls an action as a worker does: `ask("classify", connection, ..., **with)`, further connections by their names."""
    async with asking(Asker()) as call:
        yield call


@asynccontextmanager
async def asking(asker: Asker) -> AsyncIterator[Ask]:
    """The same with an asker of a test's own."""
    known: dict[str, OpenConnection] = {}

    async def read(tenant: str, name: str) -> OpenConnection:
        return known[name]

    actions = plugged(Plug(allow_private=True, connections=read), {name: asker.action(with_) for name, with_ in WITH.items()})

    async def call(verb: str, *connections: OpenConnection, **given: Any) -> Any:
        known.update({one.name: one for one in connections})
        input_ = {"connection": connections[0].name, "tier": None, **given}
        action = actions[f"ai.{verb}"]
        return await action(ActivityCall(f"ai.{verb}", input_, "0190:sort:1", "acme", UUID(int=1), "sort", 1, 1))

    yield call
    for action in actions.values():
        await action.aclose()  # type: ignore[attr-defined]
