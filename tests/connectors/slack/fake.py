"""A Slack of our own, as strict as the real one is documented to be: proven by Slack's own SDK before our connector meets it.

It answers with the members that real answers were recorded to have, refuses arguments that its methods do not have, remembers each
call with the key that came with it, and can be told to fail.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from tests.connectors.server import Heard, Say, raw, saying, serving

SHAPES = Path(os.environ.get("WEFT_CONFORMANCE", Path(__file__).parents[4] / "shared" / "conformance")) / "slack"
TOKEN = "xoxb-canary-0123456789-of-acme"
CHANNELS = {"C00000001": "general", "C00000002": "orders", "D00000001": "ann"}
OUTSIDE = "C00000009"
"""A channel that the app is not in."""

ARGUMENTS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "auth.test": {},
    "chat.postMessage": {
        **{"channel": str, "text": str, "blocks": list, "thread_ts": str, "reply_broadcast": bool, "unfurl_links": bool},
        **{"unfurl_media": bool, "metadata": dict, "mrkdwn": bool, "client_msg_id": str},
    },
    "chat.update": {"channel": str, "ts": str, "text": str, "blocks": list, "metadata": dict},
    "chat.delete": {"channel": str, "ts": str},
    "files.getUploadURLExternal": {"filename": str, "length": int, "alt_txt": str, "snippet_type": str},
    "files.completeUploadExternal": {"files": list, "channel_id": str, "thread_ts": str, "initial_comment": str, "channels": str},
}
"""What each method takes; `tests/connectors/slack/test_fake.py` holds them against the SDK."""
FORM_ONLY = frozenset({"files.getUploadURLExternal"})
"""Methods that read no JSON."""


@dataclass
class Call:
    """A call as it came. arguments: read by the method's types.  key: what says that two calls are one."""

    method: str
    arguments: dict[str, Any]
    key: str | None


@dataclass
class FakeSlack:
    """A workspace. calls: those of the Web API, in order.  deduplicates: whether a key that came before is answered as it was.

    token_exchange: answers apps that have no token yet.
    """

    url: str = ""
    token_exchange: Say | None = None
    deduplicates: bool = False
    calls: list[Call] = field(default_factory=list)
    messages: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    uploads: dict[str, bytes | None] = field(default_factory=dict)
    shared: list[dict[str, Any]] = field(default_factory=list)
    failures: dict[str, list[Say]] = field(default_factory=lambda: defaultdict(list))
    lost: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    posted: dict[str, tuple[str, str]] = field(default_factory=dict)

    def fail(self, method: str, say: Say) -> None:
        """Let the next call of a method (`upload` for the sending of a file) go wrong, without doing anything."""
        self.failures[method].append(say)

    def lose(self, method: str) -> None:
        """Let the next call of a method be done, and its answer be lost."""
        self.lost[method] += 1

    async def say(self, heard: Heard, writer: asyncio.StreamWriter) -> None:
        """Answer a request."""
        if heard.target.startswith("/upload/v1/"):
            failing = self.failures["upload"]
            await (failing.pop(0) if failing else self._uploaded(heard))(heard, writer)
            return
        assert heard.target.startswith("/api/"), heard.target
        method = heard.target.removeprefix("/api/")
        assert heard.method == "POST", "every method is called by POST here"
        if self.failures[method]:
            await self.failures[method].pop(0)(heard, writer)
            return
        if method == "oauth.v2.access" and self.token_exchange is not None:
            await self.token_exchange(heard, writer)
            return
        answer = checked(method, self._answer(method, heard))
        if self.lost[method] and answer["ok"]:
            self.lost[method] -= 1
            await raw()(heard, writer)
            return
        await saying(200, json.dumps(answer).encode(), content_type="application/json; charset=utf-8")(heard, writer)

    def _answer(self, method: str, heard: Heard) -> dict[str, Any]:
        if method not in ARGUMENTS:
            return {"ok": False, "error": "unknown_method"}
        if heard.header("authorization") is None:
            return {"ok": False, "error": "not_authed"}
        if heard.header("authorization") != f"Bearer {TOKEN}":
            return {"ok": False, "error": "invalid_auth"}
        try:
            arguments = read(method, heard)
        except ValueError as error:
            return {"ok": False, "error": "invalid_arguments", "response_metadata": {"messages": [f"[ERROR] {error}"]}}
        self.calls.append(Call(method, arguments, arguments.get("client_msg_id")))
        handler: Callable[[dict[str, Any]], dict[str, Any]] = getattr(self, "_" + method.replace(".", "_"))
        return handler(arguments)

    def _auth_test(self, given: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "ok": True,
            "url": "https://acme.slack.com/",
            "team": "Acme",
            "user": "weft",
            "team_id": "T1",
            "user_id": "U1",
            "bot_id": "B1",
        }

    def _chat_postMessage(self, given: dict[str, Any]) -> dict[str, Any]:
        channel = next((id_ for id_, name in CHANNELS.items() if given.get("channel") in (id_, name, f"#{name}")), None)
        if given.get("channel") == OUTSIDE:
            return {"ok": False, "error": "not_in_channel"}
        if channel is None:
            return {"ok": False, "error": "channel_not_found"}
        if not given.get("text") and not given.get("blocks"):
            return {"ok": False, "error": "no_text"}
        if any("type" not in block for block in given.get("blocks", [])):
            return {"ok": False, "error": "invalid_blocks", "response_metadata": {"messages": ["[ERROR] missing required field: type"]}}
        if "thread_ts" in given and (channel, given["thread_ts"]) not in self.messages:
            return {"ok": False, "error": "thread_not_found"}
        if "metadata" in given and set(given["metadata"]) != {"event_type", "event_payload"}:
            return {"ok": False, "error": "invalid_metadata_format"}
        key = given.get("client_msg_id")
        if key is not None and self.deduplicates and key in self.posted:
            place = self.posted[key]
        else:
            place = (channel, f"1700000000.{len(self.messages) + 1:06}")
            self.messages[place] = {name: value for name, value in given.items() if name != "channel"}
            if key is not None:
                self.posted[key] = place
        message = {"type": "message", "text": given.get("text", ""), "user": "U1", "bot_id": "B1", "ts": place[1]}
        return {"ok": True, "channel": place[0], "ts": place[1], "message": message}

    def _chat_update(self, given: dict[str, Any]) -> dict[str, Any]:
        place = (given.get("channel", ""), given.get("ts", ""))
        if place[0] not in CHANNELS:
            return {"ok": False, "error": "channel_not_found"}
        if place not in self.messages:
            return {"ok": False, "error": "message_not_found"}
        self.messages[place] |= {name: value for name, value in given.items() if name not in ("channel", "ts")}
        return {"ok": True, "channel": place[0], "ts": place[1], "text": given.get("text", "")}

    def _chat_delete(self, given: dict[str, Any]) -> dict[str, Any]:
        place = (given.get("channel", ""), given.get("ts", ""))
        if self.messages.pop(place, None) is None:
            return {"ok": False, "error": "message_not_found"}
        return {"ok": True, "channel": place[0], "ts": place[1]}

    def _files_getUploadURLExternal(self, given: dict[str, Any]) -> dict[str, Any]:
        if not {"filename", "length"} <= set(given):
            return {"ok": False, "error": "invalid_arguments"}
        id_ = f"F{len(self.uploads) + 1:08}"
        self.uploads[id_] = None
        return {"ok": True, "upload_url": f"{self.url}/upload/v1/{id_}-capability", "file_id": id_}

    def _uploaded(self, heard: Heard) -> Say:
        id_ = heard.target.removeprefix("/upload/v1/").removesuffix("-capability")
        assert heard.header("authorization") is None, "the address is enough; the token goes to the Web API alone"
        if id_ not in self.uploads:
            return saying(404)
        self.uploads[id_] = heard.body
        return saying(200, f"OK - {len(heard.body)}".encode())

    def _files_completeUploadExternal(self, given: dict[str, Any]) -> dict[str, Any]:
        files = given.get("files", [])
        if not files or any(set(file) - {"id", "title"} for file in files):
            return {"ok": False, "error": "invalid_arguments"}
        if any(self.uploads.get(file["id"]) is None for file in files):
            return {"ok": False, "error": "file_not_found"}
        if "channel_id" in given and given["channel_id"] not in CHANNELS:
            return {"ok": False, "error": "channel_not_found"}
        self.shared.append(given)
        return {"ok": True, "files": [{"id": file["id"], "title": file.get("title", "")} for file in files]}


def read(method: str, heard: Heard) -> dict[str, Any]:
    """The arguments of a call, by the method's types. Raises: ValueError, as Slack says it."""
    kind = (heard.header("content-type") or "").partition(";")[0]
    known = ARGUMENTS[method]
    if kind == "application/json":
        if method in FORM_ONLY:
            raise ValueError("this method reads no JSON")
        given: dict[str, Any] = json.loads(heard.body)
    elif kind == "application/x-www-form-urlencoded":
        pairs = parse_qsl(heard.body.decode(), keep_blank_values=True, strict_parsing=bool(heard.body))
        given = {name: value if known.get(name) is str else json.loads(value) for name, value in pairs}
    elif not heard.body:
        given = {}
    else:
        raise ValueError(f"content type {kind!r}")
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"unknown argument {name}")
        if not isinstance(value, known[name]):
            raise ValueError(f"{name} is no {known[name]}")
    return given


def shape(method: str) -> dict[str, Any] | None:
    """The members that real answers were recorded to have; None where the conformance data is absent."""
    path = SHAPES / f"{method}.json"
    return json.loads(path.read_bytes()) if path.exists() else None


def checked(method: str, answer: dict[str, Any]) -> dict[str, Any]:
    """An answer of which every member was recorded, of the recorded kind."""
    recorded = shape(method)
    if recorded is not None:
        _held(answer, recorded, method)
    return answer


def _held(value: Any, recorded: Any, where: str) -> None:
    if isinstance(recorded, dict) and recorded:
        assert isinstance(value, dict), where
        for name, inner in value.items():
            assert name in recorded, f"{where}.{name} was never recorded"
            _held(inner, recorded[name], f"{where}.{name}")
    elif isinstance(recorded, list) and recorded:
        assert isinstance(value, list), where
        for inner in value:
            _held(inner, recorded[0], where)
    else:
        assert isinstance(value, type(recorded)), f"{where} is no {type(recorded).__name__}"


@asynccontextmanager
async def slack() -> AsyncIterator[FakeSlack]:
    """A running one."""
    fake = FakeSlack()
    async with serving(fake.say) as server:
        fake.url = server.url
        yield fake


__all__ = ["ARGUMENTS", "CHANNELS", "OUTSIDE", "TOKEN", "FakeSlack", "shape", "slack"]
