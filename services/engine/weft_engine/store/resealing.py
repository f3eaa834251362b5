"""Sealing anew the secrets of connections."""

from __future__ import annotations

import sqlalchemy as sa
from weft_runtime.sealing import Envelope, Resealed, SealBroken
from weft_runtime.uow import UnitOfWork

from weft_engine.tables import connection_secrets as kept


async def reseal(uow: UnitOfWork, secrets: tuple[str, ...]) -> Resealed:
    """Seal by the newest secret key whatever an earlier one sealed. uow: of the owner of the schema.  secrets: the newest first."""
    envelope, anew, already, broken = Envelope(*secrets), 0, 0, []
    for row in (await uow.conn.execute(sa.select(kept).order_by(kept.c.connection_id, kept.c.field))).all():
        try:
            renewed = envelope.renewed(row.sealed, tenant=row.tenant_id, connection=str(row.connection_id), field=row.field)
        except SealBroken as error:
            broken.append(f"tenant {row.tenant_id}: {error.message}")
            continue
        if renewed is None:
            already += 1
            continue
        # One that is given anew meanwhile stays as it was given.
        unchanged = (kept.c.connection_id == row.connection_id, kept.c.field == row.field, kept.c.sealed == row.sealed)
        await uow.conn.execute(sa.update(kept).where(*unchanged).values(sealed=renewed))
        anew += 1
    return Resealed(anew, already, tuple(broken))
