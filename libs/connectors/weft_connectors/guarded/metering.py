"""How much may travel before an answer is given up. The library bounds one header and not how many answers, chunks and trailers come."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import httpcore2

from weft_connectors.guarded.errors import GuardError

HEAD_BYTES: Final = 256 * 1024
"""Up to the end of an answer's headers, provisional answers before it counted in. The library refuses a head of 100 KiB by itself."""
READ_BYTES: Final = 16 * 1024
"""Read at once: what is read is taken apart while everybody else of the process waits, and it may be a thousand tiny pieces."""


class Allowance:
    """What may still travel of one answer."""

    def __init__(self) -> None:
        self._whole = self._left = HEAD_BYTES

    def for_body(self, max_bytes: int) -> None:
        """The head is there. max_bytes: of the body; chunks of seven bytes and more have as much around them at most."""
        self._whole = self._left = 2 * max_bytes + HEAD_BYTES

    def take(self, count: int) -> None:
        """So many bytes came. Raises: GuardError `response_too_large`."""
        self._left -= count
        if self._left < 0:
            message = f"more than {self._whole} bytes came without an answer's end; call a service that says less around what it says"
            raise GuardError("response_too_large", message, max_bytes=self._whole)


_current: ContextVar[Allowance | None] = ContextVar("allowance", default=None)


@contextmanager
def allowed() -> Iterator[Allowance]:
    """An allowance for what the block reads of any connection."""
    allowance = Allowance()
    token = _current.set(allowance)
    try:
        yield allowance
    finally:
        _current.reset(token)


class Metered(httpcore2.AsyncNetworkStream):
    """A stream that counts what is read against the allowance of whoever reads."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - the signature is the library's
        """The next bytes. Raises: GuardError `response_too_large`."""
        data = await self._stream.read(min(max_bytes, READ_BYTES), timeout)
        allowance = _current.get()
        if allowance is not None:
            allowance.take(len(data))
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the signature is the library's
        """Send."""
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close."""
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is the library's
    ) -> httpcore2.AsyncNetworkStream:
        """The same over TLS."""
        return Metered(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """What the connection knows of itself."""
        return self._stream.get_extra_info(info)
