"""Cursors: where a list goes on, as text that only we can make and that fits only the list it was made for."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import msgspec

from weft_runtime.errors import Malformed

MAX_CURSOR = 2048
_MAC_BYTES = 16


class Cursors:
    """Makes and reads cursors. secret: the installation's, the same in every process.  before: earlier ones, which read only."""

    def __init__(self, secret: str, *before: str) -> None:
        self._keys = [hmac.new(each.encode(), b"weft cursors 1", hashlib.sha256).digest() for each in (secret, *before)]

    def make(self, key: Sequence[Any], scope: Sequence[str]) -> str:
        """A cursor after the row with this key. scope: tenant, route, filter and order, to which it is bound."""
        body = msgspec.json.encode([_tagged(value) for value in key])
        return base64.urlsafe_b64encode(_mac(self._keys[0], body, scope) + body).rstrip(b"=").decode()

    def read(self, cursor: str, scope: Sequence[str]) -> tuple[Any, ...]:
        """The key in a cursor. Raises: Malformed (`bad_cursor`) for one that was changed or belongs to another list."""
        try:
            if len(cursor) > MAX_CURSOR:
                raise _bad()
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
            if not any(hmac.compare_digest(mac, _mac(key, body, scope)) for key in self._keys):
                raise _bad()
            return tuple(_untagged(tag, value) for tag, value in msgspec.json.decode(body))
        except (ValueError, TypeError, binascii.Error, InvalidOperation):
            raise _bad() from None


def _mac(key: bytes, body: bytes, scope: Sequence[str]) -> bytes:
    bound = msgspec.json.encode(list(scope))
    return hmac.new(key, len(bound).to_bytes(4) + bound + body, hashlib.sha256).digest()[:_MAC_BYTES]


def _bad() -> Malformed:
    return Malformed("the cursor is not one of this list; start again without it", code="bad_cursor")


def _tagged(value: Any) -> tuple[str, Any]:
    match value:
        case None | bool() | int() | float() | str():
            return "", value
        case datetime():
            return "t", value.astimezone(UTC).isoformat()
        case date():
            return "d", value.isoformat()
        case UUID():
            return "u", value.hex
        case Decimal():
            return "n", str(value)
        case _:
            raise TypeError(f"a list cannot be ordered by {type(value).__name__}; use texts, numbers, times or ids")


def _untagged(tag: str, value: Any) -> Any:
    match tag:
        case "t":
            return datetime.fromisoformat(value)
        case "d":
            return date.fromisoformat(value)
        case "u":
            return UUID(value)
        case "n":
            return Decimal(value)
        case _:
            return value
