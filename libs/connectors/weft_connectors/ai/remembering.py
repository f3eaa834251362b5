"""Under which key an answer is remembered: all that decides what a model is asked, and nothing else. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

import msgspec
from weft_language.actions.ai.model import AiWith

from weft_connectors.ai.port import Model

_WORDING: Final = 1
"""Of rules and prompts. Whoever changes what a model is told counts it up, so that answers of before are not given for it."""
_NOT_ASKED: Final = frozenset({"connection", "fallback", "tier", "max_cost", "timeout_s", "cache_s", "redact"})


def key_of(action: str, model: Model, with_: AiWith, redacts: Iterable[str]) -> str:
    """The key, a hash. with_: as it was given, before anything was taken out of it.  redacts: what is taken out."""
    asked = with_.model_dump(mode="json", by_alias=True, exclude=set(_NOT_ASKED))
    whole = [_WORDING, action, model.provider, model.base_url, model.name, sorted(redacts), asked]
    return hashlib.sha256(msgspec.json.encode(whole, order="sorted")).hexdigest()
