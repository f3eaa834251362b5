"""The table of rates: how many requests each caller made, by slot, as all processes of a service told it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from weft_runtime.database.engine import Database
from weft_runtime.database.tenancy import quote


class Told(NamedTuple):
    """What one process counted. who: digest of the caller.  slot: of the window.  used: requests, negative where some are taken back.

    ends_at: when the slot counts no more.
    """

    who: bytes
    slot: int
    used: int
    ends_at: datetime


class RateRows:
    """Queries on `<schema>.rates`, as the owner of the schema."""

    def __init__(self, database: Database) -> None:
        self._database = database
        table = f"{quote(database.name)}.rates"
        # In one order everywhere, so that two processes cannot wait for each other.
        self._add = sa.text(
            f"INSERT INTO {table} AS r (who, slot, used, ends_at) SELECT * FROM unnest("  # noqa: S608
            "CAST(:whos AS bytea[]), CAST(:slots AS bigint[]), CAST(:used AS int[]), CAST(:ends AS timestamptz[])) AS u ORDER BY 1, 2"
            " ON CONFLICT (who, slot) DO UPDATE SET used = r.used + excluded.used"
        )
        self._read = sa.text(f"SELECT who, slot, used FROM {table} WHERE who = ANY(CAST(:whos AS bytea[]))")  # noqa: S608
        self._forget = sa.text(f"DELETE FROM {table} WHERE ends_at < :before")  # noqa: S608

    async def exchange(self, told: Sequence[Told], whos: Sequence[bytes]) -> dict[bytes, dict[int, int]]:
        """Add what was counted. Returns: what all told of these callers, by slot. Raises: Unavailable."""
        heard: dict[bytes, dict[int, int]] = {who: {} for who in whos}
        async with self._database.owner_transaction() as connection:
            if told:
                columns = dict(zip(("whos", "slots", "used", "ends"), map(list, zip(*told, strict=True)), strict=True))
                await connection.execute(self._add, columns)
            # A statement of its own: it sees what others committed while the rows were waited for.
            for row in await connection.execute(self._read, {"whos": list(whos)}):
                heard[bytes(row.who)][row.slot] = row.used
        return heard

    async def forget(self, before: datetime) -> None:
        """Delete rows whose time is over. Raises: Unavailable."""
        async with self._database.owner_transaction() as connection:
            await connection.execute(self._forget, {"before": before})
