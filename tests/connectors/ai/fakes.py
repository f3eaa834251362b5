"""Strict fakes of providers: they hold what they are asked to the provider's description, remember it, and can be told to fail."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.connectors.ai.openai_description import faults
from tests.connectors.server import Heard, Server, serving

KEY = "sk-fake-0123456789abcdef"


@dataclass
class Asked:
    """A call as the provider took it. system, turns: of the prompt, whatever the provider calls them."""

    key: str | None
    body: dict[str, Any]
    system: str
    turns: list[dict[str, Any]]


@dataclass
class Fail:
    """What the provider does instead of answering. wait: says nothing more.  half: ends in the middle of the body."""

    status: int = 500
    code: str = "server_error"
    retry_after: str | None = None
    wait: bool = False
    half: bool = False
    raw: bytes | None = None


@dataclass
class Says:
    """A model's answer. text: None with tools: it asks for one."""

    text: str | None
    finish: str = "stop"
    refusal: str | None = None
    tools: bool = False
    input_tokens: int = 11
    output_tokens: int = 7


@dataclass
class Provider:
    """A fake in action. next: what it answers, one after the other; the last stays. A function answers by what was asked."""

    server: Server
    base_url: str
    next: deque[Says | Fail | str | Callable[[Asked], str]] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def take(self) -> Says | Fail:
        found = self.next.popleft() if len(self.next) > 1 else self.next[0]
        if callable(found):
            found = found(self.asked[-1])
        return Says(found) if isinstance(found, str) else found


async def _answer(writer: asyncio.StreamWriter, status: int, body: Any, fail: Fail | None = None) -> None:
    content = fail.raw if fail is not None and fail.raw is not None else json.dumps(body).encode()
    more = f"retry-after: {fail.retry_after}\r\n" if fail is not None and fail.retry_after else ""
    writer.write(f"HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n{more}\r\n".encode())
    if fail is not None and fail.half:
        writer.write(content[: len(content) // 2])
        await writer.drain()
        writer.close()
        return
    writer.write(content)


@asynccontextmanager
async def openai(*answers: Says | Fail | str | Callable[[Asked], str]) -> AsyncIterator[Provider]:
    """OpenAI, by its official description."""

    async def say(heard: Heard, writer: asyncio.StreamWriter) -> None:
        if heard.header("authorization") != f"Bearer {KEY}":
            error = {"message": "Incorrect API key provided", "type": "invalid_request_error", "param": None, "code": "invalid_api_key"}
            return await _answer(writer, 401, {"error": error})
        if heard.target == "/v1/models":
            listed = [{"id": "gpt-fake", "object": "model", "created": 1, "owned_by": "openai"}]
            return await _answer(writer, 200, {"object": "list", "data": listed})
        body = json.loads(heard.body)
        wrong = faults("CreateChatCompletionRequest", body)
        if heard.target != "/v1/chat/completions" or heard.method != "POST" or wrong:
            fake.wrong += wrong or [f"{heard.method} {heard.target}"]
            error = {"message": "; ".join(fake.wrong), "type": "invalid_request_error", "param": None, "code": None}
            return await _answer(writer, 400, {"error": error})
        system = "".join(turn["content"] for turn in body["messages"] if turn["role"] == "system")
        fake.asked.append(Asked(heard.header("idempotency-key"), body, system, [t for t in body["messages"] if t["role"] != "system"]))
        return await _openai_says(fake, body, writer)

    async with serving(say) as server:
        fake = Provider(server, f"{server.url}/v1", deque(answers))
        yield fake
    assert fake.wrong == []


async def _openai_says(fake: Provider, body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
    said = fake.take()
    if isinstance(said, Fail) and said.wait:
        await asyncio.Event().wait()
    if isinstance(said, Fail) and not said.half and said.raw is None:
        error = {"message": f"failing with {said.status}", "type": said.code, "param": None, "code": said.code}
        return await _answer(writer, said.status, {"error": error}, said)
    says = said if isinstance(said, Says) else Says("half")
    message: dict[str, Any] = {"role": "assistant", "content": says.text, "refusal": says.refusal}
    if says.tools:
        message["tool_calls"] = [{"id": "call_1", "type": "function", "function": {"name": "pay", "arguments": "{}"}}]
    answer = {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if says.tools else says.finish, "logprobs": None}],
        "usage": {
            "prompt_tokens": says.input_tokens, "completion_tokens": says.output_tokens,
            "total_tokens": says.input_tokens + says.output_tokens,
        },
    }  # fmt: skip
    assert faults("CreateChatCompletionResponse", answer) == []
    return await _answer(writer, 200, answer, said if isinstance(said, Fail) else None)


_ANTHROPIC = frozenset({"model", "max_tokens", "system", "messages", "temperature"})


@asynccontextmanager
async def anthropic(*answers: Says | Fail | str) -> AsyncIterator[Provider]:
    """Anthropic, by its reference: there is no official description to hold it to."""

    async def say(heard: Heard, writer: asyncio.StreamWriter) -> None:
        if heard.header("x-api-key") != KEY or heard.header("anthropic-version") != "2023-06-01":
            return await _answer(writer, 401, {"type": "error", "error": {"type": "authentication_error", "message": "invalid x-api-key"}})
        if heard.target == "/v1/models":
            return await _answer(writer, 200, {"data": [], "has_more": False})
        body = json.loads(heard.body)
        fake.wrong += [f"{name}: unknown" for name in sorted(set(body) - _ANTHROPIC)]
        if heard.target != "/v1/messages" or body["messages"][0]["role"] != "user" or not body["max_tokens"] > 0:
            fake.wrong.append(heard.target)
        fake.asked.append(Asked(heard.header("idempotency-key"), body, body["system"], body["messages"]))
        said = fake.take()
        if isinstance(said, Fail):
            if said.wait:
                await asyncio.Event().wait()
            error = {"type": "error", "error": {"type": said.code, "message": f"failing with {said.status}"}}
            return await _answer(writer, said.status, error, said)
        content = [{"type": "text", "text": said.text}]
        usage = {"input_tokens": said.input_tokens, "output_tokens": said.output_tokens}
        finish = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}[said.finish]
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "content": content, "usage": usage}
        return await _answer(writer, 200, {**message, "stop_reason": finish, "stop_sequence": None})

    async with serving(say) as server:
        fake = Provider(server, server.url, deque(answers))
        yield fake
    assert fake.wrong == []
