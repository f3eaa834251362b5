"""Our copies of business calendars."""

from __future__ import annotations

from contextlib import suppress

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_contracts.calendars import CalendarChanged
from weft_language.expressions import Calendar, ExpressionError, compile_calendar
from weft_runtime.uow import UnitOfWork

from weft_events.tables import calendar


async def remember(uow: UnitOfWork, change: CalendarChanged) -> bool:
    """Keep a copy of a calendar. Returns: False where it, or a newer one, is here already."""
    values = {"revision": change.revision, "document": change.model_dump(mode="json", include={"zone", "hours", "holidays"})}
    statement = insert(calendar).values(tenant_id=uow.tenant, name=change.name, **values)
    newer = calendar.c.revision < statement.excluded.revision
    kept = statement.on_conflict_do_update(index_elements=["tenant_id", "name"], set_=values, where=newer)
    return (await uow.conn.execute(kept.returning(calendar.c.name))).first() is not None


async def known(uow: UnitOfWork, of: str) -> dict[str, Calendar]:
    """A tenant's calendars by name, but for those that cannot be read here, such as one in a zone that is not known."""
    rows = await uow.conn.execute(sa.select(calendar.c.name, calendar.c.document).where(calendar.c.tenant_id == of))
    found: dict[str, Calendar] = {}
    for name, document in rows:
        with suppress(ExpressionError):
            found[name] = compile_calendar(document)
    return found
