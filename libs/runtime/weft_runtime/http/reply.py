"""What a route gives back when its view alone is not enough."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from starlette.responses import Response

from weft_runtime.http.strict_json import encode

ViewT = TypeVar("ViewT")


@dataclass(frozen=True, slots=True)
class Reply(Generic[ViewT]):
    """A view with its status, headers and version.

    etag: the version, without quotes; `If-None-Match` on a GET is answered 304 by it.  status: the route's when absent.
    then: awaited when the transaction has committed and what was said is sent; the Reply it gives is sent instead of this one, None
    keeps this one. It is how a route waits for others (`?wait=`) without holding a transaction.
    secret: what is kept of it for `Idempotency-Key` is sealed.
    """

    view: ViewT
    etag: str | None = None
    status: int | None = None
    headers: Mapping[str, str] | None = None
    then: Callable[[], Awaitable[Reply[Any] | None]] | None = None
    secret: bool = False

    def response(self, status: int) -> Response:
        """This reply as an answer. status: the route's."""
        headers = dict(self.headers or {})
        if self.etag is not None:
            headers["ETag"] = f'"{self.etag}"'
        status = self.status or status
        if status in (204, 304):
            return Response(None, status, headers=headers)
        return Response(encode(self.view), status, headers=headers, media_type="application/json")
