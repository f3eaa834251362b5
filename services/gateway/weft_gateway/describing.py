"""The descriptions of the services: fetched from each, kept a while, merged."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final

import httpx2
import msgspec
from weft_runtime.http.application import openapi as described
from weft_runtime.http.door import Door

from weft_gateway.openapi import merge

FETCH_TIMEOUT_S: Final = 2.0
MAX_DOCUMENT_BYTES: Final = 4 * 1024 * 1024
RETRY_AFTER_S: Final = 2.0
"""Pause before a service that did not answer is asked again."""

TITLE = "Weft"
ABOUT = "Workflows for the teams of many tenants. Each path belongs to one service; errors are RFC 9457 problem documents."


class Descriptions:
    """The merged description. door: the gateway's own.  urls: of the other services by name.  ttl_s: how long an answer is kept."""

    def __init__(self, door: Door, urls: Mapping[str, str], ttl_s: float) -> None:
        self._door = door
        self._urls = dict(urls)
        self._ttl_s = ttl_s
        self._merged: dict[str, Any] | None = None
        self._good_until = float("-inf")
        self._lock = asyncio.Lock()

    async def whole(self) -> dict[str, Any]:
        """The document, with `x-missing` naming who did not answer."""
        async with self._lock:
            if self._merged is None or time.monotonic() > self._good_until:
                self._merged = await self._read()
                missing = self._merged["x-missing"]
                self._good_until = time.monotonic() + (min(self._ttl_s, RETRY_AFTER_S) if missing else self._ttl_s)
            return self._merged

    async def _read(self) -> dict[str, Any]:
        async with httpx2.AsyncClient(timeout=FETCH_TIMEOUT_S, trust_env=False, follow_redirects=False) as client:
            answers = await asyncio.gather(*(_fetch(client, url) for url in self._urls.values()))
        found = {name: answer for name, answer in zip(self._urls, answers, strict=True) if answer is not None}
        documents = {"gateway": await asyncio.to_thread(described, self._door), **found}
        merged = merge(documents, title=TITLE, version="1", description=ABOUT)
        return {**merged, "servers": [{"url": "/"}], "x-missing": sorted(set(self._urls) - set(found))}


async def _fetch(client: httpx2.AsyncClient, url: str) -> dict[str, Any] | None:
    """A service's own description, None where it does not give one in time."""
    try:
        answer = await client.get(f"{url.rstrip('/')}/openapi.json")
        if answer.status_code != 200 or len(answer.content) > MAX_DOCUMENT_BYTES:
            return None
        return msgspec.json.decode(answer.content, type=dict[str, Any])
    except (httpx2.HTTPError, httpx2.InvalidURL, msgspec.DecodeError, UnicodeDecodeError):
        return None
