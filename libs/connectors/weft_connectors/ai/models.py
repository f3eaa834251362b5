"""Which model of a connection is asked, and by which provider's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from weft_language.tiers import at_most

from weft_connectors.ai import anthropic, openai
from weft_connectors.ai.port import Model, Provider
from weft_connectors.connections import OpenConnection

PROVIDERS: Final[Mapping[str, Provider]] = {
    "openai": openai.OpenAI(),
    "openai-compatible": openai.OpenAI(compatible=True),
    "anthropic": anthropic.Anthropic(),
}
BASE_URLS: Final[Mapping[str, str]] = {"openai": openai.BASE_URL, "anthropic": anthropic.BASE_URL}
"""Where a provider is, unless a connection says another place."""


def model_of(connection: OpenConnection, tier: str | None) -> Model:
    """The model for a tier: that of the highest tier up to it that the connection names one for, else its `default`."""
    settings, models = connection.settings, connection.settings["models"]
    name = next((str(models[one]) for one in at_most(tier) if one in models), None) or str(models["default"])
    provider = str(settings["provider"])
    return Model(connection, provider, name, str(settings.get("base_url") or BASE_URLS[provider]))
