"""Queries on sign-ins by identity providers, and on whom of our people their people are."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_runtime.uow import UnitOfWork

from weft_gateway.domain import BegunSignIn, Identity, User
from weft_gateway.tables import identities, oidc_handed, oidc_sign_ins


async def add(uow: UnitOfWork, begun: BegunSignIn) -> None:
    """Keep a sign-in that has begun."""
    tenant, user_id = begun.link or (None, None)
    statement = sa.insert(oidc_sign_ins).values(
        state_hash=begun.state_hash,
        browser_hash=begun.browser_hash,
        provider=begun.provider,
        sealed=begun.sealed,
        return_to=begun.return_to,
        link_tenant=tenant,
        link_user=user_id,
        expires_at=begun.expires_at,
    )
    await uow.conn.execute(statement)


async def take(uow: UnitOfWork, state_hash: str) -> BegunSignIn | None:
    """The sign-in of a state, which is gone by that; None where there is none or it is too old. Of two takers one has it."""
    table = oidc_sign_ins
    statement = sa.delete(table).where(table.c.state_hash == state_hash, table.c.expires_at > uow.now).returning(table)
    row = (await uow.conn.execute(statement)).one_or_none()
    if row is None:
        return None
    link = None if row.link_tenant is None else (row.link_tenant, row.link_user)
    return BegunSignIn(row.state_hash, row.browser_hash, row.provider, bytes(row.sealed), row.return_to, link, row.expires_at)


async def identity(uow: UnitOfWork, issuer: str, subject: str) -> Identity | None:
    """Who a provider's person is here, in any tenant; None where nobody is."""
    query = sa.select(identities).where(identities.c.issuer == issuer, identities.c.subject == subject)
    row = (await uow.conn.execute(query)).one_or_none()
    return None if row is None else Identity(row.issuer, row.subject, row.tenant_id, row.user_id, row.created_at)


async def add_identity(uow: UnitOfWork, new: Identity) -> bool:
    """Keep who a provider's person is here. Returns: whether nobody was it before."""
    values = {
        "tenant_id": new.tenant,
        "issuer": new.issuer,
        "subject": new.subject,
        "user_id": new.user_id,
        "created_at": new.created_at,
    }
    statement = insert(identities).values(values).on_conflict_do_nothing().returning(identities.c.user_id)
    return (await uow.conn.execute(statement)).first() is not None


async def hand_over(uow: UnitOfWork, hash: str, user: User, provider: str, until: datetime) -> None:
    """Keep whose tokens a code stands for."""
    values = {"tenant_id": user.tenant, "hash": hash, "user_id": user.id, "provider": provider, "expires_at": until}
    await uow.conn.execute(sa.insert(oidc_handed).values(values))


async def take_handed(uow: UnitOfWork, hash: str) -> tuple[str, UUID, str] | None:
    """Tenant, person and provider of a code, which is used up by that; None where it is unknown or too old."""
    table = oidc_handed
    statement = sa.delete(table).where(table.c.hash == hash, table.c.expires_at > uow.now)
    row = (await uow.conn.execute(statement.returning(table.c.tenant_id, table.c.user_id, table.c.provider))).one_or_none()
    return None if row is None else (row.tenant_id, row.user_id, row.provider)


async def forget(uow: UnitOfWork, before: datetime) -> None:
    """Delete sign-ins that were not answered, and codes that were not exchanged, in time."""
    for table in (oidc_sign_ins, oidc_handed):
        await uow.conn.execute(sa.delete(table).where(table.c.expires_at <= before))
