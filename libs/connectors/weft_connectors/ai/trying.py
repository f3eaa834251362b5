"""Trying a connection of type `ai`: the provider is asked for its models, which costs nothing."""

from __future__ import annotations

from weft_connectors.ai.failing import status_error
from weft_connectors.ai.models import PROVIDERS, model_of
from weft_connectors.connections import OpenConnection
from weft_connectors.plug import Plug, trial
from weft_connectors.trying import TIMEOUT_S, Tried


async def try_ai(connection: OpenConnection, plug: Plug) -> Tried:
    """Whether the provider takes the key. Raises: ActivityError where there is no answer."""
    model = model_of(connection, None)
    answer = await plug.send(trial("ai.generate", {}), PROVIDERS[model.provider].listing(model, TIMEOUT_S), connection)
    if answer.status == 200:
        return Tried(True, f"{model.provider} takes the key, and tells its models", 200)
    error = status_error(answer, model.provider)
    return Tried(False, error.message, answer.status, error.code)
