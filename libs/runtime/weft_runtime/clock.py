"""The clock and ids, as arguments: only the runtime reads them, so decisions stay pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

import uuid_utils


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The time, in UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)


def new_id() -> UUID:
    """A UUIDv7: unique, and sorted by the time it was made. Source: RFC 9562."""
    return UUID(int=uuid_utils.uuid7().int)
