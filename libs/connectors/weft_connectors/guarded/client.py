"""The client: bounded requests over a pool of checked connections."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import httpcore2
import httpx2

from weft_connectors.guarded.bodies import ACCEPTED, read_body
from weft_connectors.guarded.errors import GuardError
from weft_connectors.guarded.headers import check_headers
from weft_connectors.guarded.metering import allowed
from weft_connectors.guarded.network import CheckedNetwork, Resolver, system_resolver
from weft_connectors.guarded.redirects import MAX_REDIRECTS, STATUSES, next_request
from weft_connectors.guarded.urls import read_url, shown

MAX_ANSWER_BYTES: Final = 1024 * 1024
MAX_REQUEST_BYTES: Final = 1024 * 1024
CONNECT_TIMEOUT_S: Final = 10.0
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# The library writes whole requests, with their keys, into its log at level DEBUG.
logging.getLogger("httpcore2").setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request. headers: without Host and Content-Length, which are the client's; they may be secret.

    timeout_s: for all of it, redirects and the whole answer with them.  max_answer_bytes: of the unpacked body.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    content: bytes = b""
    timeout_s: float = 30.0
    follow_redirects: bool = True
    max_answer_bytes: int = MAX_ANSWER_BYTES


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, read in full. url: what gave it, after redirects.  headers: as they came, names in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    url: str

    def header(self, name: str) -> str | None:
        """The first header of that name, in lower case."""
        return next((value for key, value in self.headers if key == name), None)


class GuardedClient:
    """Makes requests to addresses that a tenant chose. One a process; it keeps connections, and no cookies and no passwords.

    allow_private: let private and loopback addresses be reached, for a developer's machine.  tls: trusted roots; the system's when None.
    max_connections: open at once, all hosts together.
    """

    def __init__(
        self,
        *,
        allow_private: bool = False,
        resolve: Resolver = system_resolver,
        tls: ssl.SSLContext | None = None,
        max_connections: int = 200,
    ) -> None:
        self._allow_private = allow_private
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls or httpx2.create_ssl_context(trust_env=False),
            max_connections=max_connections,
            max_keepalive_connections=max_connections // 2,
            keepalive_expiry=15.0,
            network_backend=CheckedNetwork(resolve, allow_private=allow_private),
        )

    async def send(self, request: Outgoing) -> Answer:
        """The answer, whatever its status. Raises: GuardError."""
        if request.method not in METHODS:
            raise GuardError("bad_request", f"{request.method[:20]!r} is no method; use one of {', '.join(sorted(METHODS))}")
        if len(request.content) > MAX_REQUEST_BYTES:
            raise GuardError("bad_request", f"the request's body has {len(request.content)} bytes; at most {MAX_REQUEST_BYTES} are sent")
        check_headers(request.headers)
        try:
            async with asyncio.timeout(request.timeout_s):
                return await self._follow(request)
        except TimeoutError as error:
            raise GuardError("timeout", f"no whole answer within {request.timeout_s:g} s", timeout_s=request.timeout_s) from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()

    async def _follow(self, request: Outgoing) -> Answer:
        for _ in range(MAX_REDIRECTS + 1):
            url = read_url(request.url, allow_private=self._allow_private)
            async with _named_failures(url), self._asked(request, url) as answer:
                headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in answer.headers)
                given = dict(reversed(headers))
                if not (request.follow_redirects and answer.status in STATUSES and "location" in given):
                    encoding = ", ".join(value for name, value in headers if name == "content-encoding")
                    declared = None if request.method == "HEAD" else given.get("content-length")
                    body = await read_body(answer.aiter_stream(), encoding, declared, request.max_answer_bytes)
                    return Answer(answer.status, headers, body, str(url))
            request = next_request(request, url, answer.status, given["location"])
        message = f"the answer led on more than {MAX_REDIRECTS} times, last to {shown(httpx2.URL(request.url))}"
        raise GuardError("redirect_limit", message, status=answer.status)

    @asynccontextmanager
    async def _asked(self, request: Outgoing, url: httpx2.URL) -> AsyncIterator[httpcore2.Response]:
        """The answer's head; its body is read, or the connection given up, before this ends."""
        headers = [(b"host", url.netloc), *((name.encode("ascii"), value.encode()) for name, value in request.headers)]
        names = {name.lower() for name, _ in headers}
        headers += [(name, value) for name, value in _OWN if name not in names]
        if request.content or request.method in ("POST", "PUT", "PATCH"):
            headers.append((b"content-length", str(len(request.content)).encode()))
        times = {"connect": min(CONNECT_TIMEOUT_S, request.timeout_s), **dict.fromkeys(("read", "write", "pool"), request.timeout_s)}
        target = httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        asked = httpcore2.Request(request.method, target, headers=headers, content=request.content, extensions={"timeout": times})
        with allowed() as allowance:
            answer = await self._pool.handle_async_request(asked)
            allowance.for_body(request.max_answer_bytes)
            try:
                yield answer
            finally:
                await answer.aclose()


_OWN: Final = ((b"user-agent", b"weft"), (b"accept", b"*/*"), (b"accept-encoding", ACCEPTED.encode()))


@asynccontextmanager
async def _named_failures(url: httpx2.URL) -> AsyncIterator[None]:
    """The library's failures as GuardErrors that say where."""
    try:
        yield
    except (httpcore2.TimeoutException, TimeoutError) as error:
        raise GuardError("timeout", f"{shown(url)} did not answer in time") from error
    except httpcore2.ConnectError as error:
        tls = _tls_failure(error)
        if tls is not None:
            raise GuardError("tls_failed", f"{shown(url)} was reached, but TLS failed: {tls}") from error
        raise GuardError("connect_failed", f"{shown(url)} was not reached: {error}", reached=False) from error
    except (httpcore2.NetworkError, httpcore2.ProtocolError, ssl.SSLError, OSError) as error:
        raise GuardError("connect_failed", f"{shown(url)} did not answer in full: {error}") from error


def _tls_failure(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error
