"""Sealing anew the private halves of signing keys."""

from __future__ import annotations

import sqlalchemy as sa
from weft_runtime.sealing import Resealed, SealBroken
from weft_runtime.uow import UnitOfWork

from weft_gateway.keyring import Vault
from weft_gateway.tables import signing_keys


async def reseal(uow: UnitOfWork, secrets: tuple[str, ...]) -> Resealed:
    """Seal by the newest secret key whatever an earlier one sealed. uow: of the owner of the schema.  secrets: the newest first."""
    vault, anew, already, broken = Vault(*secrets), 0, 0, []
    for row in await uow.conn.execute(sa.select(signing_keys.c.kid, signing_keys.c.sealed).order_by(signing_keys.c.kid)):
        try:
            renewed = vault.renewed(row.kid, bytes(row.sealed))
        except SealBroken as error:
            broken.append(f"signing key {row.kid}: {error.message}")
            continue
        if renewed is None:
            already += 1
            continue
        unchanged = (signing_keys.c.kid == row.kid, signing_keys.c.sealed == row.sealed)
        await uow.conn.execute(sa.update(signing_keys).where(*unchanged).values(sealed=renewed))
        anew += 1
    return Resealed(anew, already, tuple(broken))
