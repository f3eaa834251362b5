"""Type `ai`: a provider of language models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError
from weft_connectors.ai.models import BASE_URLS
from weft_connectors.http.connecting import place_of
from weft_language.actions.ai.model import Personal

from weft_engine.connections.kinds.settings import HttpsAddress, Settings, Wanted

ModelName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x20\x7f]+$")]
TierName = Annotated[str, Field(min_length=1, max_length=128)]
Price = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]


class PriceOfTokens(BaseModel):
    """What a million tokens cost, in US dollars."""

    model_config = ConfigDict(extra="forbid", strict=True)

    input: Price
    output: Price


class AiSettings(Settings):
    """How the actions `ai.*` reach a provider.

    provider: whose language is spoken.  base_url: where, the provider's own address when absent; needed for `openai-compatible`.
    models: names by tier of tenants; a tier without one takes that of the next below, else `default`.  prices: by model, in the place of
    the public ones.  redact: personal data that is taken out of every prompt, whatever a node says.
    """

    provider: Literal["openai", "anthropic", "openai-compatible"]
    base_url: HttpsAddress | None = None
    models: dict[TierName, ModelName] = Field(min_length=1, max_length=20)
    prices: dict[ModelName, PriceOfTokens] = Field(default_factory=dict, max_length=50)
    redact: list[Personal] = Field(default_factory=list, max_length=6)

    @field_validator("models")
    @classmethod
    def _has_a_default(cls, value: dict[str, str]) -> dict[str, str]:
        if "default" not in value:
            raise PydanticCustomError("default_model", "a `default` is needed: the model of tiers that have none of their own")
        return value

    @model_validator(mode="after")
    def _is_somewhere(self) -> AiSettings:
        if self.base_url is None:
            if self.provider not in BASE_URLS:
                raise PydanticCustomError("base_url", "an `openai-compatible` provider needs its `base_url`")
            self.base_url = BASE_URLS[self.provider]
        return self

    def wanted(self) -> Wanted:
        """The secrets that go with these settings."""
        return Wanted(() if self.provider == "openai-compatible" else ("api_key",), ("api_key",))

    def sends_to(self) -> str | None:
        """The origin of `base_url`."""
        return place_of(self.base_url or "")
