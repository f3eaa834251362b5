"""Anthropic: messages. Source: Anthropic's API reference, version 2023-06-01."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from weft_connectors.ai.port import Finish, Model, Prompt, Reply, Unreadable
from weft_connectors.guarded import Answer, Outgoing

BASE_URL: Final = "https://api.anthropic.com"
VERSION: Final = "2023-06-01"
_FINISHES: Final[dict[str, Finish]] = {"end_turn": "end", "stop_sequence": "end", "max_tokens": "length", "refusal": "refused"}


class _Block(msgspec.Struct):
    type: str
    text: str | None = None


class _Usage(msgspec.Struct):
    input_tokens: int
    output_tokens: int
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None


class _Message(msgspec.Struct):
    content: list[_Block]
    usage: _Usage
    stop_reason: str | None = None


_decoder: Final = msgspec.json.Decoder(_Message)


class Anthropic:
    """`anthropic`. A schema is told in the prompt alone."""

    def request(self, model: Model, prompt: Prompt, key: str, timeout_s: float) -> Outgoing:
        """The request."""
        body: dict[str, Any] = {
            "model": model.name,
            "max_tokens": prompt.max_output_tokens,
            "system": prompt.system,
            "messages": [{"role": turn.role, "content": turn.text} for turn in prompt.turns],
        }
        if prompt.temperature is not None:
            body["temperature"] = min(prompt.temperature, 1.0)  # its scale ends there
        headers = (("Content-Type", "application/json"), ("Idempotency-Key", key), *_known(model))
        return Outgoing(
            "POST", f"{model.base_url.rstrip('/')}/v1/messages", headers, msgspec.json.encode(body),
            timeout_s=timeout_s, follow_redirects=False,
        )  # fmt: skip

    def listing(self, model: Model, timeout_s: float) -> Outgoing:
        """The request for the models."""
        return Outgoing("GET", f"{model.base_url.rstrip('/')}/v1/models", _known(model), timeout_s=timeout_s, follow_redirects=False)

    def read(self, answer: Answer) -> Reply:
        """The reply. Raises: Unreadable."""
        try:
            read = _decoder.decode(answer.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Unreadable(str(error)) from error
        usage = read.usage
        given = usage.input_tokens + (usage.cache_creation_input_tokens or 0) + (usage.cache_read_input_tokens or 0)
        text = "".join(block.text or "" for block in read.content if block.type == "text")
        finish: Finish = _FINISHES.get(read.stop_reason or "end_turn", "other")
        return Reply(text, finish, given, usage.output_tokens)


def _known(model: Model) -> tuple[tuple[str, str], ...]:
    return ("anthropic-version", VERSION), ("x-api-key", model.key)
