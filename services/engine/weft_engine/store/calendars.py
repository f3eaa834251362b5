"""Queries on copies of business calendars."""

from __future__ import annotations

from contextlib import suppress

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_contracts.calendars import CalendarChanged
from weft_language.expressions import Calendar, ExpressionError, compile_calendar
from weft_runtime.uow import UnitOfWork

from weft_engine.tables import calendars


async def remember(uow: UnitOfWork, change: CalendarChanged) -> None:
    """Keep a copy of a calendar; one that is older than ours changes nothing."""
    document = change.model_dump(mode="json", include={"zone", "hours", "holidays"})
    values = {"revision": change.revision, "document": document}
    statement = insert(calendars).values(tenant_id=uow.tenant, name=change.name, **values)
    newer = calendars.c.revision < statement.excluded.revision
    await uow.conn.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "name"], set_=values, where=newer))


async def known(uow: UnitOfWork) -> dict[str, Calendar]:
    """The tenant's calendars by name, but for those that cannot be read here, such as one in a zone that is not known."""
    rows = await uow.conn.execute(sa.select(calendars.c.name, calendars.c.document).where(calendars.c.tenant_id == uow.tenant))
    found: dict[str, Calendar] = {}
    for name, document in rows:
        with suppress(ExpressionError):
            found[name] = compile_calendar(document)
    return found
