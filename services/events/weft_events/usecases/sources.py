"""The verbs on sources, and on what counts of their tables' changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from weft_runtime.clock import new_id
from weft_runtime.database.outside import Outside, OutsideError
from weft_runtime.errors import Detail
from weft_runtime.uow import UnitOfWork

from weft_events import auditing, records
from weft_events.errors import (
    SourceExists,
    SourceMoved,
    SourceUnusable,
    TableNotWatched,
    TablesUnusable,
    TableWatched,
    TooManySources,
)
from weft_events.records import Source, TableEvents, Watched
from weft_events.records.sources import MOST_SOURCES, Wake
from weft_events.records.watching import check_unmoved
from weft_events.store import capture, outbox, sources, watching
from weft_events.store.capture import Survey
from weft_events.store.connections import Connection, named
from weft_events.usecases.records import TYPE

_TABLE_KINDS: Final = frozenset({"r", "p"})
"""Plain tables and partitioned ones: of views and others there are no changes of rows to capture."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What putting capture in place takes. statements: in order, none where it is there.  seen: what it was made from."""

    statements: tuple[str, ...]
    seen: Survey


async def create_source(name: str, kind: str, connection: str, tables: Sequence[Watched], wake: Wake, uow: UnitOfWork) -> Source:
    """Make a source; nothing is captured until it is installed.

    Raises: SourceExists, TableWatched, TooManySources.
    """
    if await sources.named(uow, name):
        raise SourceExists(f"there is a source {name!r}; choose another name, or change that one")
    if await sources.count(uow) >= MOST_SOURCES:
        raise TooManySources(f"a tenant has at most {MOST_SOURCES} sources; one may watch many tables")
    by = None if uow.caller is None else uow.caller.sub
    made = Source(uow.tenant, new_id(), name, kind, connection, tuple(tables), wake, 1, uow.now, by, uow.now)
    await _claim(made, uow)
    await sources.add(uow, made)
    uow.say(auditing.source_saved(None, made))
    return await sources.find(uow, made.id)


async def change_source(id_: UUID, connection: str, tables: Sequence[Watched], wake: Wake, etag: str | None, uow: UnitOfWork) -> Source:
    """Give a source other tables or another connection. What is captured changes when it is installed again.

    Raises: SourceNotFound, SourceMoved, TableWatched.
    """
    was = await sources.find(uow, id_, hold=True)
    _check(was, etag)
    made = replace(was, connection=connection, tables=tuple(tables), wake=wake)
    if made == was:
        return was
    made = replace(made, version=was.version + 1, updated_at=uow.now)
    await _claim(made, uow)
    await sources.change(uow, made, elsewhere=made.connection != was.connection)
    uow.say(auditing.source_saved(was, made))
    return await sources.find(uow, id_)


async def connection_for(source: Source, uow: UnitOfWork) -> Connection | None:
    """The connection that a source goes by, None where there is none."""
    return (await named(uow, TYPE, {source.connection})).get(source.connection)


async def plan(source: Source, database: Outside) -> Plan:
    """What is to be done in a source's database. Raises: OutsideError, TablesUnusable, SourceUnusable."""
    seen = await capture.survey(database, source.id, source.tables)
    if seen.version < capture.OLDEST_SERVER:
        raise SourceUnusable(f"the database is PostgreSQL {seen.version // 10_000}; 13 or newer is needed", code="source_too_old")
    if seen.standby:
        raise SourceUnusable("the database is a standby, in which nothing is written; name the primary", code="source_standby")
    wrong = []
    for place, one in enumerate(seen.tables):
        at = f"/tables/{place}"
        if one.kind is None:
            where = f"{one.watched.schema}.{one.watched.table}"
            wrong.append(Detail(at, "no_such_table", f"there is no table {where} in the database, or the account may not see it"))
        elif one.kind not in _TABLE_KINDS:
            wrong.append(Detail(at, "not_a_table", f"{one.ident} is no table: only changes of tables' rows can be captured"))
    if wrong:
        raise TablesUnusable("some tables cannot be watched; `errors` says which", details=wrong)
    return Plan(tuple(capture.statements(source.id, seen, notify=source.wake == "notify")), seen)


async def install(source: Source, made: Plan, database: Outside) -> None:
    """Put capture in place, and let what was set aside be read again. Raises: SourceUnusable, with the statements for who may run them."""
    try:
        if made.statements:
            await capture.run(database, made.statements)
        await outbox.retry(database, source.id)
    except OutsideError as error:
        script = in_one(made.statements)
        advice = "let somebody who may run `sql`, then install again" if error.code == "forbidden" else "install again"
        raise SourceUnusable(f"{error.message}; {advice}", code=f"source_{error.code}", extra={"sql": script}) from error


async def note_installed(id_: UUID, tables: Sequence[Watched], uow: UnitOfWork) -> Source:
    """Remember that the changes of these tables are captured; whoever reads the source begins. Raises: SourceNotFound."""
    was = await sources.find(uow, id_, hold=True)
    await sources.installed(uow, id_, tables)
    made = await sources.find(uow, id_)
    uow.say(auditing.source_installed(was, made))
    return made


async def begin_removal(id_: UUID, etag: str | None, uow: UnitOfWork) -> Source:
    """Let a source be read no more. Raises: SourceNotFound, SourceMoved."""
    was = await sources.find(uow, id_, hold=True)
    _check(was, etag)
    await sources.begin_removal(uow, id_)
    if not was.removing:
        uow.say(auditing.source_removed(was))
    return was


async def remove_source(id_: UUID, uow: UnitOfWork) -> None:
    """Forget a source."""
    await sources.remove(uow, id_)


async def table_events(name: str, uow: UnitOfWork) -> tuple[TableEvents, Source | None]:
    """What counts of a table's changes, and which source has it. Raises: TableNotWatched."""
    found, source = await watching.find(uow, name), await sources.of_table(uow, name)
    if found is None and source is None:
        raise TableNotWatched(f"no source watches a table {name!r}; GET /api/v1/sources lists those that are")
    return found or TableEvents(name), source


async def put_table_events(asked: TableEvents, etag: str | None, uow: UnitOfWork) -> tuple[TableEvents, Source | None, bool]:
    """Say what counts of a table's changes, from the next change on.

    Returns: the settings, the source that has the table, and whether there were none before.  Raises: TableEventsMoved.
    """
    was = await watching.find(uow, asked.name, hold=True)
    by = None if uow.caller is None else uow.caller.sub
    made = records.written(was, asked, etag, uow.now, by)
    if made != was:
        await watching.save(uow, made)
        uow.say(auditing.table_events(was, made, asked.name))
    return made, await sources.of_table(uow, asked.name), was is None


async def remove_table_events(name: str, etag: str | None, uow: UnitOfWork) -> None:
    """Let every change of a table count again. Raises: TableNotWatched, TableEventsMoved."""
    was = await watching.find(uow, name, hold=True)
    if was is None:
        raise TableNotWatched(f"the table {name!r} has no settings: every change of it counts, where a source watches it")
    check_unmoved(was, name, etag)
    await watching.remove(uow, name)
    uow.say(auditing.table_events(was, None, name))


def in_one(statements: Sequence[str]) -> str:
    """Statements as one text that a person can run, all of them or none."""
    return "BEGIN;\n" + "".join(f"{one};\n" for one in statements) + "COMMIT;\n" if statements else ""


async def _claim(source: Source, uow: UnitOfWork) -> None:
    names = [one.name for one in source.tables]
    taken = await sources.taken_names(uow, names, source.id)
    if taken:
        details = [
            Detail(f"/tables/{place}", "table_watched", f"another source has a table {name!r}; give this one another `name`")
            for place, name in enumerate(names)
            if name in taken
        ]
        raise TableWatched("tables of these names are watched already", details=details)
    await sources.claim_names(uow, source.id, names)


def _check(was: Source, etag: str | None) -> None:
    if etag is not None and etag != str(was.version):
        raise SourceMoved(f"the source {was.name} is version {was.version} by now, not {etag[:40]}; read it again and decide anew")
