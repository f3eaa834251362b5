"""Large values on their way between the journal and the turns of a lane: read when a turn asks for one, packed when a turn made one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import structlog
from weft_runtime.database.blobs import packed

from weft_engine.core.claims import Claimed, Values, Wanted
from weft_engine.journal import BlobRow, Journal

FoundT = TypeVar("FoundT")

log = structlog.get_logger(__name__)


class Recent:
    """Large values that a lane read or wrote lately, JSON by id, the least recently used first. most_bytes: kept at most."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._found: dict[str, bytes] = {}
        self.size_bytes = 0

    def get(self, id_: str) -> bytes | None:
        """A value, marked as just used."""
        content = self._found.pop(id_, None)
        if content is not None:
            self._found[id_] = content
        return content

    def put(self, id_: str, content: bytes) -> None:
        """Keep a value; the least recently used go when there are too many bytes."""
        if id_ in self._found or len(content) > self._most:
            return
        self._found[id_] = content
        self.size_bytes += len(content)
        while self.size_bytes > self._most:
            self.size_bytes -= len(self._found.pop(next(iter(self._found))))


class Reading:
    """The large values that one turn asks for. most_bytes: held at once, about; what is let go is read again when it is asked for."""

    def __init__(self, journal: Journal, recent: Recent, most_bytes: int) -> None:
        self._journal = journal
        self._recent = recent
        self._most = most_bytes
        self._contents: dict[str, bytes] = {}
        self.values = Values(self._contents)

    async def read(self, tenant: str, claimed: Claimed) -> None:
        """Have a value at hand. One that is not kept any more is logged, and known as lost from then on. Raises: asyncpg's errors."""
        content = self._recent.get(claimed.id)
        if content is None:
            content = (await self._journal.blobs(tenant, [claimed.id])).get(claimed.id)
            if content is None:
                log.error("content_lost", tenant=tenant, blob=claimed.id, size_bytes=claimed.size_bytes)
            else:
                self._recent.put(claimed.id, content)
        self._contents[claimed.id] = content or b""

    async def given(self, tenant: str, act: Callable[[Values], FoundT]) -> FoundT:
        """What acting comes to, once it is given every value that it asks for. Raises: ContentLost, asyncpg's errors."""
        while True:
            try:
                return act(self.values)
            except Wanted as wanted:
                await self.read(tenant, wanted.claimed)

    def trim(self) -> None:
        """Let go what was read when it is much: whoever comes next may need none of it."""
        if sum(map(len, self._contents.values())) > self._most:
            self._contents = {}
            self.values = Values(self._contents)


def blob_rows(contents: Mapping[tuple[str, str], bytes]) -> list[BlobRow]:
    """The rows that keep large values, JSON by tenant and id."""
    return [BlobRow(tenant, id_, len(content), packed(content)) for (tenant, id_), content in contents.items()]
