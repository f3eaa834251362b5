"""The outbox in a tenant's database, as it is read.

Changes are written into a table by a trigger, in the transaction that makes them: what is rolled back was never there, and what is
committed is there until it is in our log. Whoever reads takes what is visible, lowest number first, and deletes those very rows: a
transaction that commits late is found by the next look, since nobody remembers up to where was read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from weft_runtime.database.outside import Outside

from weft_events.records import Look

AT_ONCE: Final = 200
BYTES_AT_ONCE: Final = 1024 * 1024
"""Changes read at once: so many, and those that have so many bytes together."""
MOST_COUNTED: Final = 10_000
MAX_REFUSAL: Final = 500


@dataclass(frozen=True, slots=True)
class Names:
    """What a source's objects are called in its database: words that need no quotes."""

    source: UUID

    @property
    def table(self) -> str:
        """The outbox, in the schema `weft_outbox`."""
        return f"change_{self.source.hex}"

    @property
    def function(self) -> str:
        """What the triggers call, in the same schema."""
        return f"capture_{self.source.hex}"

    @property
    def trigger(self) -> str:
        """What stands on each table; the channel on which it wakes who reads is called the same."""
        return f"weft_{self.source.hex}"


async def read(database: Outside, of: UUID) -> tuple[list[Mapping[str, Any]], bool]:
    """Changes that are to be taken in, in order, and whether there may be more. Raises: OutsideError."""
    rows = await database.rows(_READ.format(table=Names(of).table))
    kept: list[Mapping[str, Any]] = []
    size = 0
    for row in rows:
        if kept and size + row["bytes"] > BYTES_AT_ONCE:
            return kept, True
        kept.append(row)
        size += row["bytes"]
    return kept, len(rows) == AT_ONCE


async def look(database: Outside, of: UUID) -> Look:
    """How many changes wait, at most `MOST_COUNTED`, for how long the oldest has, and how large the outbox is. Raises: OutsideError."""
    (row,) = await database.rows(_LOOK.format(table=Names(of).table))
    return Look(row["pending"], float(row["lag_s"]), row["bytes"])


async def forget(database: Outside, of: UUID, numbers: Sequence[int]) -> None:
    """Delete changes that are in our log. Raises: OutsideError."""
    await database.rows(f"DELETE FROM weft_outbox.{Names(of).table} WHERE id = ANY($1::bigint[])", list(numbers))  # noqa: S608


async def refuse(database: Outside, of: UUID, number: int, why: str) -> None:
    """Set a change aside that cannot be taken in, with the reason: it stays there to be looked at. Raises: OutsideError."""
    await database.rows(f"UPDATE weft_outbox.{Names(of).table} SET refused = $2 WHERE id = $1", number, why[:MAX_REFUSAL])  # noqa: S608


async def retry(database: Outside, of: UUID) -> None:
    """Let changes that were set aside be read again. Raises: OutsideError."""
    await database.rows(f"UPDATE weft_outbox.{Names(of).table} SET refused = NULL WHERE refused IS NOT NULL")  # noqa: S608


_READ: Final = f"""SELECT id, event, at, txid, name, operation, key::text AS key, was::text AS was, is_now::text AS is_now, changed,
  left_out, bytes
FROM weft_outbox.{{table}} WHERE refused IS NULL ORDER BY id LIMIT {AT_ONCE}"""  # noqa: S608
_LOOK: Final = f"""SELECT
  (SELECT count(*) FROM (SELECT FROM weft_outbox.{{table}} WHERE refused IS NULL LIMIT {MOST_COUNTED}) AS seen)::int AS pending,
  coalesce((SELECT greatest(0, extract(epoch FROM clock_timestamp() - at)) FROM weft_outbox.{{table}}
    WHERE refused IS NULL ORDER BY id LIMIT 1), 0)::float8 AS lag_s,
  pg_total_relation_size('weft_outbox.{{table}}'::regclass) AS bytes"""  # noqa: S608
