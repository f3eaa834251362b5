"""A strict fake of Resend: held in both directions to its published API description, it remembers every call and fails when told to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import NAMESPACE_URL, uuid5

from jsonschema import Draft202012Validator

FOLDER = Path(os.environ.get("WEFT_CONFORMANCE", Path(__file__).parents[3] / "shared" / "conformance"))
API_KEY = "re_canary_0123456789"
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"a key that only Resend and we know").decode()


@dataclass(frozen=True)
class Call:
    """A request as it came. key: its Idempotency-Key."""

    method: str
    path: str
    key: str | None
    body: Any


@dataclass
class FakeResend:
    """What is known there. received: mails that came in, by id.  contents: of their attachments, by id.  sent: mails by key.

    failures: what the next calls are answered instead: (status, headers, body), or `half` a body, or nothing for `slow`.
    faults: answers of the fake's own that its description would refuse.
    """

    url: str = ""
    received: dict[str, dict[str, Any]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    sent: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    failures: deque[tuple[int, dict[str, str], bytes] | str] = field(default_factory=deque)
    faults: list[str] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def arrives(
        self, number: int = 1, files: dict[str, bytes] | None = None, sender: str = "Zoë <zoe@client.example>", **changes: Any
    ) -> dict[str, Any]:
        """A mail comes in. Returns: the body of the webhook that tells of it."""
        id_ = str(uuid5(NAMESPACE_URL, f"{self.url} {number}"))
        shown = []
        for name, content in (files or {}).items():
            file_id = str(uuid5(NAMESPACE_URL, f"{id_} {name}"))
            self.contents[file_id] = content
            about = {"id": file_id, "filename": name, "content_type": "text/csv", "content_id": "c1", "content_disposition": "attachment"}
            shown.append(about | {"size": len(content)})
        document: dict[str, Any] = {
            "object": "email",
            "id": id_,
            "to": ["orders@acme.example"],
            "from": sender,
            "created_at": "2026-11-26T10:00:00.000Z",
            "subject": f"Order {number}",
            "message_id": f"<{number}@client.example>",
            "bcc": [],
            "cc": [],
            "reply_to": [],
            "html": "<p>One <b>pump</b><script>x()</script></p>",
            "text": "One pump\r\nplease",
            "headers": {"Date": "Thu, 26 Nov 2026 11:00:00 +0100", "In-Reply-To": "<0@acme.example>", "X-Priority": "1"},
            "attachments": shown,
        } | changes
        self.received[id_] = document
        told = {name: document[name] for name in ("created_at", "from", "to", "subject", "message_id", "bcc", "cc")}
        files_told = [{name: value for name, value in one.items() if name != "size"} for one in shown]
        data = {"email_id": id_, **told, "attachments": files_told}
        notice = {"type": "email.received", "created_at": "2026-11-26T10:00:01.000Z", "data": data}
        self.faults += _wrong("webhook", {"$ref": "#/components/schemas/EmailReceivedEvent"}, notice)
        return notice

    def answer(self, method: str, target: str, headers: dict[str, str], raw: bytes) -> tuple[int, dict[str, str], bytes]:
        """What a request is answered."""
        parts = urlsplit(target)
        if parts.path.startswith("/cdn/"):
            return 200, {"content-type": "application/octet-stream"}, self.contents[parts.path.rpartition("/")[2]]
        key = headers.get("idempotency-key")
        body = json.loads(raw) if raw else None
        self.calls.append(Call(method, parts.path, key, body))
        if headers.get("authorization") != f"Bearer {API_KEY}":
            return _error(403, "invalid_api_key", "API key is invalid")
        template, operation = _operation(method, parts.path)
        if operation is None:
            return _error(405, "method_not_allowed", "there is no such endpoint")
        known = {one["name"] for one in operation.get("parameters", ()) if one.get("in") == "query"}
        wrong = [f"unknown query {name}" for name in parse_qs(parts.query) if name not in known]
        if body is not None and "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            wrong += _wrong("request", schema, body) + _unknown(schema, body)
        if wrong:
            return _error(422, "validation_error", "; ".join(wrong))
        status, answer = self._handle(template, method, parts.path, key, body)
        if status == 200:
            schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
            self.faults += _wrong("answer", schema, answer) + _unknown(schema, answer)
        return status, {"content-type": "application/json"}, json.dumps(answer).encode()

    def _handle(self, template: str, method: str, path: str, key: str | None, body: Any) -> tuple[int, Any]:
        if template == "/emails" and method == "POST":
            before = self.sent.get(key or "")
            if before is not None and before["body"] != body:
                return 409, json.loads(_error(409, "invalid_idempotent_request", "another body with this key")[2])
            id_ = str(uuid5(NAMESPACE_URL, f"{self.url} sent {key or len(self.sent)}"))
            self.sent.setdefault(key or id_, {"id": id_, "body": body})
            return 200, {"id": id_}
        if template == "/domains":
            return 200, {"object": "list", "has_more": False, "data": []}
        document = self.received.get(path.split("/")[3])
        if document is None:
            return 404, {"statusCode": 404, "name": "not_found", "message": "Email not found"}
        if template.endswith("/attachments"):
            shown = [one | {"download_url": f"{self.url}/cdn/{one['id']}?signature=s"} for one in document["attachments"]]
            return 200, {"object": "list", "has_more": False, "data": shown}
        return 200, document


def notified(notice: dict[str, Any], at: datetime | None = None, delivery: str = "msg_1", secret: str = WEBHOOK_SECRET) -> dict[str, Any]:
    """The body and headers of a webhook, as Svix signs it."""
    body = json.dumps(notice).encode()
    seconds = str(int((at or datetime.now(UTC)).timestamp()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{delivery}.{seconds}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{base64.b64encode(digest).decode()}"
    headers = {"svix-id": delivery, "svix-timestamp": seconds, "svix-signature": signature, "content-type": "application/json"}
    return {"content": body, "headers": headers}


@contextmanager
def serving() -> Iterator[FakeResend]:
    """The fake on a free port of this machine."""
    fake = FakeResend()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more, body = fake.answer(self.command, self.path, headers, raw)
            failure = fake.failures.popleft() if fake.failures and not self.path.startswith("/cdn/") else None
            if failure == "slow":
                fake.ended.wait(120)
                return
            if isinstance(failure, tuple):
                status, more, body = failure
            self.send_response(status)
            for name, value in (more | {"content-length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if failure == "half" else body)
            self.close_connection = failure == "half"

        do_GET = do_POST = _do  # noqa: N815 - the library's names

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


@cache
def described() -> dict[str, Any]:
    """Resend's API description; empty where it is not at hand."""
    path = FOLDER / "resend" / "resend.openapi.json"
    if not path.exists():
        print("not run: no conformance data")
        return {}
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def _operation(method: str, path: str) -> tuple[str, Any]:
    paths = described().get("paths")
    if paths is None:
        template = re.sub(r"(/emails/receiving/)[^/]+", r"\1{email_id}", path)
        return template, {"requestBody": {"content": {"application/json": {"schema": {}}}}, "responses": _UNDESCRIBED}
    for template in sorted(paths):
        if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", template), path) and method.lower() in paths[template]:
            return template, paths[template][method.lower()]
    return path, None


_UNDESCRIBED: dict[str, Any] = {"200": {"content": {"application/json": {"schema": {}}}}}


def _wrong(what: str, schema: dict[str, Any], value: Any) -> list[str]:
    whole = {**schema, "components": described().get("components", {})} if described() else {}
    return [f"{what} {one.json_path}: {one.message}" for one in Draft202012Validator(whole).iter_errors(value)]


def _unknown(schema: dict[str, Any], value: Any) -> list[str]:
    name = schema.get("$ref", "").rpartition("/")[2]
    known = described().get("components", {}).get("schemas", {}).get(name, {}).get("properties")
    return [] if known is None else [f"unknown field {one}" for one in value if one not in known]


def _error(status: int, name: str, message: str) -> tuple[int, dict[str, str], bytes]:
    body = {"statusCode": status, "name": name, "message": message}
    return status, {"content-type": "application/json"}, json.dumps(body).encode()
