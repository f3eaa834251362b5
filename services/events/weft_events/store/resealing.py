"""Sealing anew our copy of the secrets that verify webhooks."""

from __future__ import annotations

import sqlalchemy as sa
from weft_runtime.sealing import Envelope, Resealed, SealBroken
from weft_runtime.uow import UnitOfWork

from weft_events.tables import connection as kept


async def reseal(uow: UnitOfWork, secrets: tuple[str, ...]) -> Resealed:
    """Seal by the newest secret key whatever an earlier one sealed. uow: of the owner of the schema.  secrets: the newest first."""
    envelope, anew, already, broken = Envelope(*secrets), 0, 0, []
    for row in (await uow.conn.execute(sa.select(kept).order_by(kept.c.tenant_id, kept.c.id))).all():
        sealed = dict(row.sealed)
        for field, text in row.sealed.items():
            try:
                renewed = envelope.renewed(text, tenant=row.tenant_id, connection=str(row.id), field=field)
            except SealBroken as error:
                broken.append(f"tenant {row.tenant_id}: {error.message}")
                continue
            sealed[field] = text if renewed is None else renewed
            already, anew = (already + 1, anew) if renewed is None else (already, anew + 1)
        # One that is told anew meanwhile stays as it was told.
        unchanged = (kept.c.tenant_id == row.tenant_id, kept.c.id == row.id, kept.c.revision == row.revision)
        if sealed != row.sealed:
            await uow.conn.execute(sa.update(kept).where(*unchanged).values(sealed=sealed))
    return Resealed(anew, already, tuple(broken))
