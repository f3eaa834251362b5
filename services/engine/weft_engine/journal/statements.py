"""The statements of the journal, in arrays: a row costs 70 µs alone and 8 µs among a hundred."""

from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

_FENCE: Final = """
WITH fence AS (
    UPDATE engine.partitions p SET published = greatest(p.published, u.published)
    FROM {rows} AS u(partition, epoch, published)
    WHERE p.partition = u.partition AND p.epoch = u.epoch
    RETURNING p.partition
), mine AS MATERIALIZED (
    SELECT 1 WHERE (SELECT count(*) FROM fence) = cardinality($1)
)"""
_FENCE_TYPES: Final = ("smallint", "bigint", "bigint")


_HEAD_TYPES: Final = ("uuid", "text", "text", "int", "smallint", "text", "timestamptz", "timestamptz", "timestamptz", "text", "jsonb")
_BORN: Final = """INSERT INTO engine.executions
    (id, tenant_id, workflow, version, partition, status, wake_at, ended_at, kept_until, key, labels)
    SELECT u.* FROM mine, {rows} AS u"""


class Part(NamedTuple):
    """What a commit may write beside its fences. name: of the batch's list.  types: of its rows' columns.

    sql: `{rows}` stands for the rows; it writes nothing unless `mine` has a row, which tells that every partition is still ours.
    """

    name: str
    types: tuple[str, ...]
    sql: str


PARTS: Final = (
    Part(
        "rows",
        ("smallint", "bigint", "uuid", "text", "int", "timestamptz", "json"),
        """INSERT INTO engine.journal (partition, seq, execution_id, tenant_id, position, at, entries)
    SELECT u.* FROM mine, {rows} AS u""",
    ),
    # One that is there already spoils the whole batch: it is no new execution, but a start that came again.
    Part("born", _HEAD_TYPES, _BORN),
    Part(
        "heads",
        _HEAD_TYPES,
        f"""{_BORN}
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, status = excluded.status, wake_at = excluded.wake_at,
                                   ended_at = excluded.ended_at, kept_until = excluded.kept_until""",
    ),
    Part(
        "freed",
        ("text", "text", "text", "uuid"),
        """DELETE FROM engine.keys k USING mine, {rows} AS u(tenant, workflow, key, execution)
    WHERE k.tenant_id = u.tenant AND k.workflow = u.workflow AND k.key = u.key AND k.execution_id = u.execution""",
    ),
    Part(
        "answers",
        ("uuid", "text", "smallint", "json"),
        """INSERT INTO engine.answers (id, tenant_id, status, body)
    SELECT u.* FROM mine, {rows} AS u
    ON CONFLICT (id) DO NOTHING""",
    ),
    Part(
        "entering",
        ("text", "uuid", "text", "int", "text", "timestamptz", "smallint"),
        """INSERT INTO engine.admissions (tenant_id, execution_id, gate, capacity, on_conflict, asked_at, priority)
    SELECT u.* FROM mine, {rows} AS u
    ON CONFLICT (execution_id, gate) DO NOTHING""",
    ),
    Part(
        "leaving",
        ("uuid",),
        "DELETE FROM engine.admissions a USING mine, {rows} AS u(execution) WHERE a.execution_id = u.execution",
    ),
    Part(
        "words",
        ("uuid", "text", "text", "bytea"),
        """INSERT INTO engine.outbox (id, exchange, routing_key, item)
    SELECT u.* FROM mine, {rows} AS u
    ON CONFLICT (id) DO NOTHING""",
    ),
    # One that is kept already is looked at for removal later: changing it keeps a removal under way from taking it.
    Part(
        "blobs",
        ("text", "text", "int", "bytea"),
        """INSERT INTO engine.blobs AS b (tenant_id, id, size_bytes, content, created_at, expires_at)
    SELECT u.*, clock_timestamp(), clock_timestamp() + interval '1 day' FROM mine, {rows} AS u
    ON CONFLICT (tenant_id, id) DO UPDATE SET expires_at = greatest(b.expires_at, excluded.expires_at)""",
    ),
    Part(
        "uses",
        ("text", "text", "uuid"),
        """INSERT INTO engine.blob_uses (tenant_id, blob_id, execution_id)
    SELECT u.* FROM mine, {rows} AS u
    ON CONFLICT DO NOTHING""",
    ),
)


@cache
def commit(parts: tuple[Part, ...]) -> str:
    """The statement that writes these parts, and nothing where a fence has moved; gives 1 when it wrote.

    Its parameters are arrays: three for the fences, then one for each column of each part. Only what a batch has is in its statement: a
    table that is named is opened, with its indexes, written to or not.
    """
    made, first = [_FENCE.format(rows=_rows(_FENCE_TYPES, 1))], 1 + len(_FENCE_TYPES)
    for part in parts:
        made.append(f", {part.name} AS (\n    {part.sql.format(rows=_rows(part.types, first))}\n)")
        first += len(part.types)
    return "".join(made) + "\nSELECT count(*) FROM mine"


def _rows(types: Sequence[str], first: int) -> str:
    return f"unnest({', '.join(f'${number}::{type_}[]' for number, type_ in enumerate(types, first))})"


RENEW: Final = """
UPDATE engine.partitions p SET epoch = p.epoch + 1 FROM unnest($1::smallint[], $2::bigint[]) AS u(partition, epoch)
WHERE p.partition = u.partition AND p.epoch = u.epoch
RETURNING p.partition, p.epoch
"""

LOAD: Final = """
SELECT execution_id, position, at, entries FROM engine.journal WHERE execution_id = ANY($1::uuid[]) ORDER BY execution_id, position
"""

SUSPENDED: Final = "SELECT id, kind, name FROM engine.suspensions WHERE tenant_id = $1 AND lifted_at IS NULL ORDER BY since"

KEEP: Final = """
UPDATE engine.executions SET kept_until = greatest(kept_until, $2) WHERE id = $1 AND kept_until IS NOT NULL
"""

HEADS: Final = "SELECT id, status, wake_at FROM engine.executions WHERE id = ANY($1::uuid[])"

LAST_SEQ: Final = """
SELECT greatest((SELECT max(seq) FROM engine.journal WHERE partition = $1), (SELECT published FROM engine.partitions WHERE partition = $1))
"""
"""Rows of executions that are forgotten are gone, and their numbers are not given again: all of them had been published."""

UNPUBLISHED: Final = """
SELECT seq, execution_id, position, at, entries FROM engine.journal WHERE partition = $1 AND seq > $2 ORDER BY seq LIMIT $3
"""

DUE: Final = """
SELECT id, wake_at FROM engine.executions WHERE partition = $1 AND wake_at IS NOT NULL AND wake_at < $2 ORDER BY wake_at LIMIT $3
"""

ANSWERED: Final = "SELECT id FROM engine.answers WHERE id = ANY($1::uuid[])"

LET_IN: Final = "SELECT bool_and(let_in_at IS NOT NULL) FROM engine.admissions WHERE execution_id = $1"

BEHIND_GATE: Final = """
SELECT execution_id FROM engine.admissions WHERE tenant_id = $1 AND gate = $2 AND let_in_at IS NOT NULL ORDER BY asked_at LIMIT $3
"""

TAKE_KEYS: Final = """
INSERT INTO engine.keys AS k (tenant_id, workflow, key, execution_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) AS u ORDER BY 1, 2, 3
ON CONFLICT (tenant_id, workflow, key) DO NOTHING
"""

KEY_HOLDERS: Final = """
SELECT k.tenant_id, k.workflow, k.key, k.execution_id FROM engine.keys k
JOIN unnest($1::text[], $2::text[], $3::text[]) AS u(tenant, workflow, key)
  ON k.tenant_id = u.tenant AND k.workflow = u.workflow AND k.key = u.key
"""

BLOBS: Final = "SELECT id, size_bytes, content FROM engine.blobs WHERE tenant_id = $1 AND id = ANY($2::text[])"

FORGET_BLOBS: Final = """
WITH over AS (
    SELECT tenant_id, id FROM engine.blobs WHERE expires_at <= clock_timestamp() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
), uses AS (
    SELECT u.*, EXISTS (SELECT FROM engine.journal j WHERE j.execution_id = u.execution_id) AS stands
    FROM engine.blob_uses u JOIN over ON u.tenant_id = over.tenant_id AND u.blob_id = over.id
), ended AS (
    DELETE FROM engine.blob_uses u USING uses WHERE NOT uses.stands
    AND u.tenant_id = uses.tenant_id AND u.blob_id = uses.blob_id AND u.execution_id = uses.execution_id
), still AS (
    UPDATE engine.blobs b SET expires_at = clock_timestamp() + interval '1 day'
    FROM (SELECT DISTINCT tenant_id, blob_id FROM uses WHERE stands) AS used
    WHERE b.tenant_id = used.tenant_id AND b.id = used.blob_id
), deleted AS (
    DELETE FROM engine.blobs b USING over WHERE b.tenant_id = over.tenant_id AND b.id = over.id
    AND NOT EXISTS (SELECT FROM uses WHERE uses.stands AND uses.tenant_id = b.tenant_id AND uses.blob_id = b.id)
)
SELECT count(*) FROM over
"""
"""Locked, so that one that is kept anew at this moment is left alone, or is written again by who waits for this.
A value is asked who uses it a day after it was kept, and each day after.
"""
