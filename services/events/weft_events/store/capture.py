"""What captures changes in a tenant's database: an outbox, a function that writes into it, and a trigger on each table.

Names in statements are made of a source's id, or quoted by the database itself, from its catalog.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from weft_runtime.database.outside import Outside, OutsideError

from weft_events.records import CAPTURE, Watched
from weft_events.store.outbox import Names

OLDEST_SERVER: Final = 130_000
TRIES: Final = 5
AGAIN_S: Final = 0.5
_MARK: Final = "-- capture of weft, version "
MAX_ROW_BYTES: Final = 128 * 1024
MAX_FIELD_BYTES: Final = 8 * 1024
"""A row that is larger is kept without the fields that are larger than this."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a database has of a table that is to be watched.

    oid, ident: None where there is no such table; ident is its name, quoted by the database.  kind: its `relkind`.  create: the statement
    that puts capture on it, made by the database.  captured: whether that is in place as it should be.
    """

    watched: Watched
    oid: int | None
    ident: str | None
    kind: str | None
    create: str | None
    captured: bool
    present: bool


@dataclass(frozen=True, slots=True)
class Survey:
    """What a database has. user: who asks, quoted.  readable: whether they may read the outbox.  body: of the function, None where there is
    none.  others: tables, quoted, whose changes are captured for this source and are not to be any more.
    """

    version: int
    standby: bool
    user: str
    schema: bool
    table: bool
    readable: bool
    body: str | None
    tables: tuple[Found, ...]
    others: tuple[str, ...]

    @property
    def captured_by(self) -> int | None:
        """The version of the function, None where there is none; before it was written there it was 1."""
        if self.body is None:
            return None
        mark = self.body.lstrip().partition("\n")[0]
        number = mark.removeprefix(_MARK)
        return int(number) if number != mark and number.isdecimal() else 1


async def survey(database: Outside, of: UUID, tables: Sequence[Watched]) -> Survey:
    """Look at what is there. Raises: OutsideError."""
    names = Names(of)
    (about,) = await database.rows(_ABOUT, names.table, names.function)
    columns = ([one.schema for one in tables], [one.table for one in tables], [one.name for one in tables])
    rows = await database.rows(_TABLES, names.trigger, names.function, *columns)
    others = await database.rows(_OTHERS, names.function, [row["oid"] for row in rows if row["oid"] is not None])
    found = tuple(
        Found(one, row["oid"], row["ident"], row["kind"], row["made"], bool(row["captured"]), bool(row["present"]))
        for one, row in zip(tables, rows, strict=True)
    )
    return Survey(
        version=about["version"],
        standby=about["standby"],
        user=about["me"],
        schema=about["schema_there"],
        table=about["table_there"],
        readable=about["readable"],
        body=about["body"],
        tables=found,
        others=tuple(row["ident"] for row in others),
    )


def statements(of: UUID, seen: Survey, *, notify: bool) -> list[str]:
    """What has to be run so that the changes of all tables are captured; nothing where that is so."""
    names, made = Names(of), []
    if not seen.schema:
        made.append("CREATE SCHEMA IF NOT EXISTS weft_outbox")
    if not seen.table:
        made.append(_TABLE.format(table=names.table))
    body = _body(names, notify=notify)
    if seen.body != body:
        made.append(
            f"CREATE OR REPLACE FUNCTION weft_outbox.{names.function}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER "
            f"SET search_path = pg_catalog, pg_temp AS $weft${body}$weft$"
        )
        # Whoever may use it on a table of theirs could write changes that never were.
        made.append(f"REVOKE ALL ON FUNCTION weft_outbox.{names.function}() FROM PUBLIC")
    if not seen.readable:
        made.append(f"GRANT USAGE ON SCHEMA weft_outbox TO {seen.user}")
        made.append(f"GRANT SELECT, UPDATE, DELETE ON weft_outbox.{names.table} TO {seen.user}")
    made += [f"DROP TRIGGER {names.trigger} ON {ident}" for ident in seen.others]
    for one in seen.tables:
        if one.captured or one.create is None:
            continue
        if one.present:
            made.append(f"DROP TRIGGER {names.trigger} ON {one.ident}")
        made.append(one.create)
    return made


def removal(of: UUID) -> list[str]:
    """What takes everything of a source out of its database again; the schema goes with the last of them."""
    names = Names(of)
    return [
        # With the function go the triggers that call it, of whatever table.
        f"DROP FUNCTION IF EXISTS weft_outbox.{names.function}() CASCADE",
        f"DROP TABLE IF EXISTS weft_outbox.{names.table}",
        _EMPTY_SCHEMA,
    ]


async def run(database: Outside, what: Sequence[str]) -> None:
    """Run statements, all of them or none.

    For the lock of a table it waits only shortly, since all who come after it wait behind it; so it is tried several times.
    Raises: OutsideError.
    """
    for left in reversed(range(TRIES)):
        try:
            async with database.transaction():
                for statement in what:
                    await database.run(statement)
        except OutsideError as error:
            if error.code != "locked" or left == 0:
                raise
            await asyncio.sleep(AGAIN_S)
        else:
            return


_TABLE: Final = """CREATE TABLE weft_outbox.{table} (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event uuid NOT NULL DEFAULT gen_random_uuid(),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  txid text NOT NULL DEFAULT pg_current_xact_id()::text,
  name text NOT NULL,
  operation text NOT NULL,
  key jsonb,
  was jsonb,
  is_now jsonb,
  changed text[] NOT NULL,
  left_out text[] NOT NULL,
  bytes integer NOT NULL,
  refused text
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0)"""


def _body(names: Names, *, notify: bool) -> str:
    """The function's. It has no block that catches errors: that would cost a subtransaction a row, and lose changes silently."""
    wake = f"  PERFORM pg_notify('{names.trigger}', '');\n" if notify else ""
    return f"""
{_MARK}{CAPTURE}
DECLARE
  old_row jsonb; new_row jsonb; was jsonb; is_now jsonb; without text[] := '{{}}';
BEGIN
  IF TG_OP <> 'INSERT' THEN old_row := to_jsonb(OLD); END IF;
  IF TG_OP <> 'DELETE' THEN new_row := to_jsonb(NEW); END IF;
  IF old_row = new_row THEN RETURN NULL; END IF;
  was := old_row; is_now := new_row;
  IF greatest(pg_column_size(was), pg_column_size(is_now)) > {MAX_ROW_BYTES} THEN
    SELECT coalesce(array_agg(field ORDER BY field), '{{}}') INTO without FROM jsonb_object_keys(coalesce(is_now, was)) AS field
      WHERE greatest(pg_column_size(was -> field), pg_column_size(is_now -> field)) > {MAX_FIELD_BYTES};
    was := was - without; is_now := is_now - without;
    IF greatest(pg_column_size(was), pg_column_size(is_now)) > {MAX_ROW_BYTES} THEN
      SELECT without || array_agg(field ORDER BY field) INTO without FROM jsonb_object_keys(coalesce(is_now, was)) AS field
        WHERE field <> ALL (TG_ARGV[1:]);
      was := was - without; is_now := is_now - without;
    END IF;
  END IF;
  INSERT INTO weft_outbox.{names.table} (name, operation, key, was, is_now, changed, left_out, bytes) VALUES (
    TG_ARGV[0],
    CASE TG_OP WHEN 'INSERT' THEN 'create' WHEN 'UPDATE' THEN 'update' ELSE 'delete' END,
    (SELECT jsonb_object_agg(field, coalesce(new_row, old_row) -> field) FROM unnest(TG_ARGV[1:]) AS field),
    was,
    is_now,
    ARRAY(SELECT field FROM jsonb_object_keys(coalesce(new_row, old_row)) AS field
      WHERE coalesce(old_row -> field, 'null') IS DISTINCT FROM coalesce(new_row -> field, 'null') ORDER BY field),
    without,
    coalesce(pg_column_size(was), 0) + coalesce(pg_column_size(is_now), 0));
{wake}  RETURN NULL;
END"""  # noqa: S608


# From the catalog alone: a name that is looked up where one has no rights is an error.
_FUNCTION: Final = (
    "SELECT p.oid FROM pg_proc p JOIN pg_namespace o ON o.oid = p.pronamespace WHERE o.nspname = 'weft_outbox' AND p.proname = {}"
)
_ABOUT: Final = f"""SELECT
  current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS standby, quote_ident(current_user) AS me,
  n.oid IS NOT NULL AS schema_there, c.oid IS NOT NULL AS table_there,
  coalesce(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'UPDATE')
    AND has_table_privilege(c.oid, 'DELETE'), false) AS readable,
  (SELECT prosrc FROM pg_proc WHERE oid = ({_FUNCTION.format("$2::text")})) AS body
FROM (SELECT) AS one LEFT JOIN pg_namespace n ON n.nspname = 'weft_outbox'
LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = $1::text"""  # noqa: S608
# The arguments of a trigger are what its table is called here and the columns of its primary key.
_TABLES: Final = f"""SELECT c.oid::bigint AS oid, c.relkind::text AS kind,
  CASE WHEN c.oid IS NOT NULL THEN format('%I.%I', n.nspname, c.relname) END AS ident,
  CASE WHEN c.oid IS NOT NULL THEN format(
    'CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %I.%I FOR EACH ROW EXECUTE FUNCTION weft_outbox.%I(%s)', $1::text,
    n.nspname, c.relname, $2::text, a.words) END AS made,
  t.oid IS NOT NULL AS present,
  t.oid IS NOT NULL AND t.tgenabled IN ('O', 'A') AND t.tgtype = 29 AND t.tgargs = a.bytes AND t.tgqual IS NULL
    AND t.tgfoid = ({_FUNCTION.format("$2::text")}) AS captured
FROM unnest($3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS w (schema, name, called, place)
LEFT JOIN pg_namespace n ON n.nspname = w.schema
LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
LEFT JOIN LATERAL (
  SELECT string_agg(quote_literal(word), ', ' ORDER BY place) AS words,
    string_agg(convert_to(word, getdatabaseencoding()) || '\\x00'::bytea, ''::bytea ORDER BY place) AS bytes
  FROM (SELECT w.called AS word, 0::bigint AS place
    UNION ALL SELECT f.attname::text, k.place FROM pg_index i CROSS JOIN unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (number, place)
      JOIN pg_attribute f ON f.attrelid = i.indrelid AND f.attnum = k.number
      WHERE i.indrelid = c.oid AND i.indisprimary AND k.place <= i.indnkeyatts) AS given
) AS a ON true
LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname = $1::text AND NOT t.tgisinternal
ORDER BY w.place"""  # noqa: S608
_OTHERS: Final = f"""SELECT format('%I.%I', n.nspname, c.relname) AS ident FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE t.tgfoid = ({_FUNCTION.format("$1::text")}) AND t.tgparentid = 0 AND NOT c.oid::bigint = ANY($2::bigint[]) ORDER BY ident"""  # noqa: S608
_EMPTY_SCHEMA: Final = """DO $$BEGIN
  IF EXISTS (SELECT FROM pg_namespace WHERE nspname = 'weft_outbox')
    AND NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = 'weft_outbox'::regnamespace)
    AND NOT EXISTS (SELECT FROM pg_proc WHERE pronamespace = 'weft_outbox'::regnamespace) THEN
    DROP SCHEMA weft_outbox;
  END IF;
END$$"""
