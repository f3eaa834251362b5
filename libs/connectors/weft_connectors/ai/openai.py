"""OpenAI, and services that speak its language: chat completions. Source: openai/openai-openapi."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from weft_connectors.ai.port import Finish, Model, Prompt, Reply, Unreadable
from weft_connectors.guarded import Answer, Outgoing

BASE_URL: Final = "https://api.openai.com/v1"
_FINISHES: Final[dict[str, Finish]] = {"stop": "end", "length": "length", "content_filter": "refused"}


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[Any] | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int
    completion_tokens: int


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    usage: _Usage | None = None


_decoder: Final = msgspec.json.Decoder(_Completion)


class OpenAI:
    """`openai`; with `compatible`, as other services understand it: the older name of the bound, and no schemas."""

    def __init__(self, *, compatible: bool = False) -> None:
        self._compatible = compatible

    def request(self, model: Model, prompt: Prompt, key: str, timeout_s: float) -> Outgoing:
        """The request."""
        messages = [{"role": "system", "content": prompt.system}, *({"role": turn.role, "content": turn.text} for turn in prompt.turns)]
        body: dict[str, Any] = {"model": model.name, "messages": messages}
        body["max_tokens" if self._compatible else "max_completion_tokens"] = prompt.max_output_tokens
        if prompt.temperature is not None:
            body["temperature"] = prompt.temperature
        if prompt.schema is not None and not self._compatible:
            body["response_format"] = self._format(prompt)
        headers = (("Content-Type", "application/json"), ("Idempotency-Key", key), *_known(model))
        return Outgoing(
            "POST", f"{model.base_url.rstrip('/')}/chat/completions", headers, msgspec.json.encode(body),
            timeout_s=timeout_s, follow_redirects=False,
        )  # fmt: skip

    def listing(self, model: Model, timeout_s: float) -> Outgoing:
        """The request for the models."""
        return Outgoing("GET", f"{model.base_url.rstrip('/')}/models", _known(model), timeout_s=timeout_s, follow_redirects=False)

    def _format(self, prompt: Prompt) -> dict[str, Any]:
        # Not `strict`: that takes only a part of JSON Schema, and the answer is checked here in any case.
        return {"type": "json_schema", "json_schema": {"name": "answer", "schema": prompt.schema, "strict": False}}

    def read(self, answer: Answer) -> Reply:
        """The reply. Raises: Unreadable."""
        try:
            read = _decoder.decode(answer.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Unreadable(str(error)) from error
        if not read.choices:
            raise Unreadable("it has no choices")
        choice, usage = read.choices[0], read.usage
        message = choice.message
        finish: Finish = _FINISHES.get(choice.finish_reason or "stop", "other")
        if message.refusal:
            finish = "refused"
        elif message.tool_calls:
            finish = "other"
        text = message.content or ""
        return Reply(text, finish, usage.prompt_tokens if usage else 0, usage.completion_tokens if usage else 0)


def _known(model: Model) -> tuple[tuple[str, str], ...]:
    return (("Authorization", f"Bearer {model.key}"),) if model.key else ()
