"""What a worker is asked: an item of a frame, decoded and checked."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from weft_contracts.envelope import Item, version_of
from weft_contracts.frames import shallow


class Request(msgspec.Struct, frozen=True):
    """`activity.requested` as the worker decodes it; a test keeps it equal to its pydantic twin."""

    execution_id: UUID
    node: str
    visit: int
    attempt: int
    name: str
    key: str
    lease_s: float
    input: Any = None
    deadline: datetime | None = None
    priority: int | None = None


_decoder = msgspec.json.Decoder(Request)


class RequestError(ValueError):
    """An item that is no request. code: `unknown_type`, `unknown_version`, `no_tenant`, `bad_message`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def read_request(item: Item) -> Request:
    """The request in an item. Raises: RequestError for anything else, saying what is wrong."""
    if item.type != "activity.requested":
        raise RequestError("unknown_type", f"a worker does not hear {item.type!r}, only activity.requested")
    if item.tenantid is None:
        raise RequestError("no_tenant", f"{item.type} {item.id} names no tenant")
    if item.replyto is None:
        raise RequestError("bad_message", f"{item.type} {item.id} names no place to answer to; set replyto")
    try:
        if version_of(item) > 1:
            raise RequestError("unknown_version", f"{item.type} is known here up to version 1, not {item.dataschema}")
        return _decoder.decode(shallow(item.data))
    except RequestError:
        raise
    except ValueError as error:
        raise RequestError("bad_message", f"{item.type} {item.id}: {error}") from error
