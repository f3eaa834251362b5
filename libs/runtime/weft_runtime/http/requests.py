"""The body of a request: bounded in size and time, of a media type we read, strict JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request

from weft_runtime.errors import Invalid, TooLarge
from weft_runtime.http.strict_json import decode

BODY_TIMEOUT_S = 30.0
LARGE_BYTES = 64 * 1024


class UnsupportedMediaType(Invalid):
    """The body is of a media type that this route does not read. 415."""

    status, code = 415, "unsupported_media_type"


class BodyTimeout(Invalid):
    """The body did not arrive in time. 408."""

    status, code = 408, "request_timeout"


class StrictRequest(Request):
    """A request whose JSON was read strictly before the framework asks for it."""

    def __init__(self, request: Request, body: bytes) -> None:
        super().__init__(request.scope, request.receive)
        self._body = body

    async def json(self) -> Any:
        """The body, read strictly. Raises: Malformed."""
        return self._strict

    async def read_document(self, yaml: Callable[[bytes], Any] | None = None, meant: Callable[[Any], Any] | None = None) -> None:
        """Read the body as JSON now, a large one beside the event loop. yaml, meant: as of `Rules`.

        Raises: UnsupportedMediaType, Malformed.
        """
        if not self._body:
            return
        media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if yaml is not None and "yaml" in media_type:
            self._strict = await asyncio.to_thread(lambda: _as_json(yaml(self._body)))
            # The framework asks for what was read only where the body is called JSON.
            others = [(name, value) for name, value in self.scope["headers"] if name != b"content-type"]
            self._headers = Headers(raw=[*others, (b"content-type", b"application/json")])
        elif media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json")):
            large = len(self._body) > LARGE_BYTES
            self._strict = await asyncio.to_thread(decode, self._body) if large else decode(self._body)
        else:
            raise UnsupportedMediaType(f"this route reads application/json, not {media_type[:100] or 'a body of no media type'}")
        if meant is not None and (found := meant(self._strict)) is not self._strict:
            self._strict = await asyncio.to_thread(_as_json, found)


def _as_json(value: Any) -> Any:
    """A value as it is read from JSON, by which strict types tell a time from a text."""
    return decode(json.dumps(value, ensure_ascii=False).encode())


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body. limit: bytes. Raises: TooLarge as soon as it is known, BodyTimeout."""
    declared = request.headers.get("content-length", "0")
    if not declared.isascii() or not declared.isdigit() or len(declared) > 18 or int(declared) > limit:
        raise _too_large(limit)
    if declared == "0" and "transfer-encoding" not in request.headers and request.scope.get("http_version") != "2":
        return b""
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise _too_large(limit)
                parts.append(part)
    except TimeoutError:
        raise BodyTimeout(f"the body did not arrive within {BODY_TIMEOUT_S:.0f} s; send it faster or in smaller requests") from None
    except ClientDisconnect:
        raise BodyTimeout("the connection was closed before the body had arrived") from None
    return b"".join(parts)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit} bytes, the most this route takes")
