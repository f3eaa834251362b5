"""A source: a tenant's database of which some tables are watched, and how far its reading is. Pure; the time is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

MOST_SOURCES: Final = 100
"""Of a tenant."""
MOST_TABLES: Final = 200
"""Of a source."""
AGAIN: Final = timedelta(seconds=1)
AGAIN_MOST: Final = timedelta(minutes=5)
"""When a source that could not be read is tried again: after the first time, twice as long each time after it, at most."""

Key = tuple[str, UUID]
"""A source's tenant and id."""
Wake = Literal["notify", "poll"]


@dataclass(frozen=True, slots=True)
class Watched:
    """A table that is watched. name: what triggers call it, one in the tenant.  schema, table: as the database has them."""

    name: str
    schema: str
    table: str

    def document(self) -> dict[str, str]:
        """It as JSON."""
        return {"name": self.name, "schema": self.schema, "table": self.table}


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a source is not read. code: stable.  message: for a person."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Source:
    """A source.

    connection: the name of that which says where it is and who asks.  wake: whether its database says when something changed.
    installed: its tables when capture was last put in place, None before.  installed_at: when that was.  removing: it is on its way out.
    failures: one after the other, the last of which is `error`, at `error_at`.  next_try_at: not read before.
    looked_at: when its outbox was last read.  pending: changes in it then, 10,000 for that many or more.  lag_s: the age of the oldest of
    them.  missing: names of tables whose changes are not captured any more.  changes, passed_over: how many ever.  refused: how many could
    not be taken in since it was installed.  version: counts what people change of it.  suspended_since: since when its connection is.
    capture_version: of what is in its database, None until that was looked at.  outbox_bytes: on the disk there.
    """

    tenant: str
    id: UUID
    name: str
    kind: str
    connection: str
    tables: tuple[Watched, ...]
    wake: Wake
    version: int
    created_at: datetime
    created_by: str | None
    updated_at: datetime
    installed: tuple[Watched, ...] | None = None
    installed_at: datetime | None = None
    removing: bool = False
    owned: bool = False
    failures: int = 0
    error: Failure | None = None
    error_at: datetime | None = None
    next_try_at: datetime | None = None
    looked_at: datetime | None = None
    pending: int = 0
    lag_s: float = 0.0
    missing: tuple[str, ...] = ()
    changes: int = 0
    passed_over: int = 0
    refused: int = 0
    last_change_at: datetime | None = None
    last_event: UUID | None = None
    suspended_since: datetime | None = None
    capture_version: int | None = None
    outbox_bytes: int = 0

    @property
    def state(self) -> str:
        """`removing`; `created` until capture is installed; `suspended` while its connection is; `failing`; `changed` where its tables
        are others since; `degraded` where something is not captured or was refused; `starting` until it was read; else `watching`.
        """
        if self.removing:
            return "removing"
        if self.installed is None:
            return "created"
        if self.suspended_since is not None:
            return "suspended"
        if self.error is not None:
            return "failing"
        if self.installed != self.tables:
            return "changed"
        if self.missing or self.refused:
            return "degraded"
        return "watching" if self.looked_at is not None else "starting"

    @property
    def healthy(self) -> bool:
        """Whether every change of its tables comes in."""
        return self.state == "watching"


@dataclass(frozen=True, slots=True)
class Held:
    """A source that this process reads, for as long as nobody moved its epoch. expected: its tables as installed."""

    tenant: str
    id: UUID
    name: str
    connection: str
    wake: Wake
    expected: tuple[Watched, ...]
    epoch: int

    @property
    def key(self) -> Key:
        """Its tenant and id."""
        return self.tenant, self.id


def put_off(failures: int, now: datetime) -> datetime:
    """When a source is tried again that failed so often one after the other, from 1."""
    return now + min(timedelta(seconds=AGAIN.total_seconds() * 2 ** min(failures - 1, 20)), AGAIN_MOST)
