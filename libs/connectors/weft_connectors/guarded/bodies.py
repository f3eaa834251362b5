"""Reading an answer's body no further than allowed, on the wire and unpacked."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable
from typing import Final, Protocol

from weft_connectors.guarded.errors import GuardError

ACCEPTED: Final = "gzip, deflate"
_PIECE_BYTES: Final = 64 * 1024


class Unpacker(Protocol):
    """Gives what a piece of the body stands for, at most `limit` bytes and a piece more."""

    def feed(self, data: bytes, limit: int) -> bytes:
        """The unpacked bytes."""
        ...

    def end(self) -> None:
        """Check that nothing is missing. Raises: GuardError `bad_encoding`."""
        ...


class _Plain:
    def feed(self, data: bytes, limit: int) -> bytes:
        return data

    def end(self) -> None:
        return


class _Zlib:
    """gzip and deflate. window: zlib's `wbits`.  raw_too: whether a body without zlib's header is tried, as some servers send it."""

    def __init__(self, name: str, window: int, *, raw_too: bool) -> None:
        self._name = name
        self._inflate = zlib.decompressobj(window)
        self._raw_too = raw_too
        self._fed = False

    def feed(self, data: bytes, limit: int) -> bytes:
        out = bytearray()
        try:
            while data and len(out) <= limit and not self._inflate.eof:
                out += self._first(data) if self._raw_too and not self._fed else self._inflate.decompress(data, _PIECE_BYTES)
                self._fed = True
                data = self._inflate.unconsumed_tail
        except zlib.error as error:
            raise self._broken(str(error)) from error
        return bytes(out)

    def _first(self, data: bytes) -> bytes:
        try:
            return self._inflate.decompress(data, _PIECE_BYTES)
        except zlib.error:
            self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
            return self._inflate.decompress(data, _PIECE_BYTES)

    def end(self) -> None:
        if self._fed and not self._inflate.eof:
            raise self._broken("it ends too early")

    def _broken(self, why: str) -> GuardError:
        return GuardError("bad_encoding", f"the answer says it is packed with {self._name}, but cannot be unpacked: {why}")


def unpacker(encoding: str) -> Unpacker:
    """The unpacker of a `content-encoding`. Raises: GuardError `bad_encoding` for one that was not asked for, and for several."""
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return _Plain()
    if name in ("gzip", "x-gzip"):
        return _Zlib("gzip", zlib.MAX_WBITS | 16, raw_too=False)
    if name == "deflate":
        return _Zlib("deflate", zlib.MAX_WBITS, raw_too=True)
    raise GuardError("bad_encoding", f"the answer is packed with {name[:60]!r}; only {ACCEPTED} were asked for")


async def read_body(pieces: AsyncIterable[bytes], encoding: str, declared: str | None, max_bytes: int) -> bytes:
    """The whole body, unpacked.

    declared: the `content-length`, which saves reading what will not fit.  max_bytes: of the body, and of what travels.
    Raises: GuardError `response_too_large`, `bad_encoding`.
    """
    if declared is not None and declared.isdecimal() and int(declared[:20]) > max_bytes:
        raise _too_large(max_bytes)
    unpack = unpacker(encoding)
    body = bytearray()
    travelled = 0
    async for piece in pieces:
        travelled += len(piece)
        body += unpack.feed(piece, max_bytes - len(body))
        if len(body) > max_bytes or travelled > max_bytes:
            raise _too_large(max_bytes)
    unpack.end()
    return bytes(body)


def _too_large(max_bytes: int) -> GuardError:
    message = f"the answer is larger than {max_bytes} bytes; ask for less of it (a page, some fields) or let an activity's worker fetch it"
    return GuardError("response_too_large", message, max_bytes=max_bytes)
