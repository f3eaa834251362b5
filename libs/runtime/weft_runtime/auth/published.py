"""What the issuer publishes, kept fresh: its public keys and its list of revoked tokens."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import httpx2
import msgspec

from weft_runtime.errors import Unavailable

ReadT = TypeVar("ReadT")

FETCH_TIMEOUT_S = 2.0
MAX_DOCUMENT_BYTES = 1024 * 1024
RETRY_PAUSE_S = 1.0
NOT_MODIFIED = 304


class Source(Protocol):
    """Where the issuer's documents come from. The gateway and tests give their own, so that no request to oneself is made."""

    async def keys(self) -> dict[str, Any]:
        """The JWKS document."""

    async def revoked(self) -> dict[str, Any]:
        """`{"revoked": [token ids], "lowered": {token id of a key: [its owner's roles]}}`."""


@dataclass(frozen=True, slots=True)
class Revocations:
    """What was taken back of tokens that are good otherwise. tokens: refused, by id.  lowered: keys by id, with their owners' roles."""

    tokens: frozenset[str]
    lowered: Mapping[str, tuple[str, ...]]


def revocations(document: Mapping[str, Any]) -> Revocations:
    """The revocation list, read. What is none of what it should be is passed over; one of an issuer of an older release lowers nobody."""
    revoked, lowered = document.get("revoked"), document.get("lowered")
    tokens = frozenset(item for item in revoked if isinstance(item, str)) if isinstance(revoked, list) else frozenset[str]()
    pairs = lowered.items() if isinstance(lowered, dict) else ()
    return Revocations(tokens, {key: tuple(map(str, roles)) for key, roles in pairs if isinstance(roles, list)})


class HttpSource:
    """The issuer's documents over HTTP.

    jwks_url: `https://…/.well-known/jwks.json`; its neighbour `revoked.json` is the revocation list. What has not changed since is not
    sent again.
    """

    def __init__(self, jwks_url: str) -> None:
        self._jwks_url = jwks_url
        self._revoked_url = jwks_url.rpartition("/")[0] + "/revoked.json"
        self._kept: dict[str, tuple[str, dict[str, Any]]] = {}

    async def keys(self) -> dict[str, Any]:
        """The JWKS document. Raises: Unavailable."""
        return await self._get(self._jwks_url)

    async def revoked(self) -> dict[str, Any]:
        """The revocation list. Raises: Unavailable."""
        return await self._get(self._revoked_url)

    async def _get(self, url: str) -> dict[str, Any]:
        try:
            async with httpx2.AsyncClient(timeout=FETCH_TIMEOUT_S, trust_env=False, follow_redirects=False) as client:
                etag, kept = self._kept.get(url, ("", {}))
                answer = await client.get(url, headers={"If-None-Match": etag} if etag else None)
            if answer.status_code == NOT_MODIFIED and etag:
                return kept
            answer.raise_for_status()
            if len(answer.content) > MAX_DOCUMENT_BYTES:
                raise Unavailable(f"{url} is larger than {MAX_DOCUMENT_BYTES} bytes", code="issuer_unavailable", retry_after_s=5)
            document = msgspec.json.decode(answer.content, type=dict[str, Any])
        except (httpx2.HTTPError, httpx2.InvalidURL, msgspec.DecodeError) as error:
            raise Unavailable(
                "the issuer of tokens does not answer; try again shortly", code="issuer_unavailable", retry_after_s=2
            ) from error
        self._kept[url] = (answer.headers.get("etag", ""), document)
        return document


class LocalSource:
    """Documents from this process. keys: gives the JWKS.  revoked: gives the revoked token ids.  lowered: as of `Revocations`."""

    def __init__(
        self,
        keys: Callable[[], dict[str, Any]],
        revoked: Callable[[], Awaitable[set[str]]] | None = None,
        lowered: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._keys = keys
        self._revoked = revoked
        self._lowered = {} if lowered is None else lowered

    async def keys(self) -> dict[str, Any]:
        """The JWKS document."""
        return self._keys()

    async def revoked(self) -> dict[str, Any]:
        """The revocation list."""
        lowered = {key: list(roles) for key, roles in self._lowered.items()}
        return {"revoked": sorted(await self._revoked()) if self._revoked else [], "lowered": lowered}


class Fresh(Generic[ReadT]):
    """A document read again when it is older than `ttl_s`; while the issuer is away the last good one serves.

    Up to twice that age it is served while it is read again, so that no request waits; an older one is waited for.
    fetch: reads it.  ttl_s: seconds it is good for.  min_pause_s: the least time between two readings.
    """

    def __init__(self, fetch: Callable[[], Awaitable[ReadT]], ttl_s: float, *, min_pause_s: float = RETRY_PAUSE_S) -> None:
        self._fetch = fetch
        self._ttl_s = ttl_s
        self._min_pause_s = min_pause_s
        self._value: ReadT | None = None
        self._read_at = float("-inf")
        self._tried_at = float("-inf")
        self._lock = asyncio.Lock()
        self._reading: asyncio.Task[None] | None = None
        self.generation = 0

    async def get(self) -> ReadT:
        """The document, at most `ttl_s` old while the issuer answers. Raises: Unavailable when there never was one."""
        age_s = time.monotonic() - self._read_at
        if self._value is None or age_s > 2 * self._ttl_s:
            await self._read()
        elif age_s > self._ttl_s and (self._reading is None or self._reading.done()):
            self._reading = asyncio.create_task(self._read())
        if self._value is None:
            raise Unavailable("the issuer of tokens does not answer; try again shortly", code="issuer_unavailable", retry_after_s=2)
        return self._value

    async def again(self) -> bool:
        """Read it now, unless that was tried a moment ago. Returns: whether it was read."""
        before = self.generation
        await self._read()
        return self.generation != before

    async def _read(self) -> None:
        seen = self.generation
        async with self._lock:
            # Whoever waited for the lock gets what the holder read; and no client can make us ask the issuer without end.
            if self.generation != seen or time.monotonic() - self._tried_at < self._min_pause_s:
                return
            self._tried_at = time.monotonic()
            try:
                self._value = await self._fetch()
            except Unavailable:
                return
            self._read_at = time.monotonic()
            self.generation += 1
