"""Queries on sessions and their refresh tokens, and the list of what is revoked."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from uuid import UUID

import sqlalchemy as sa
from weft_runtime.uow import UnitOfWork

from weft_gateway.domain import Session
from weft_gateway.machine import SessionStatus
from weft_gateway.tables import refresh_tokens, sessions, users


async def add(uow: UnitOfWork, session: Session) -> None:
    """Keep a new session."""
    await uow.conn.execute(
        sa.insert(sessions).values(
            tenant_id=session.tenant,
            id=session.id,
            user_id=session.user_id,
            status=session.status.value,
            created_at=session.created_at,
            expires_at=session.expires_at,
            provider=session.provider,
        )
    )


async def add_token(uow: UnitOfWork, session: Session, token: str, access_id: str, revision: int) -> None:
    """Keep the hash of a refresh token.

    access_id: the `jti` of the access token given with it.  revision: of the person, as that tells them.
    """
    values = {"tenant_id": session.tenant, "hash": _hash(token), "session_id": session.id, "access_id": access_id, "created_at": uow.now}
    await uow.conn.execute(sa.insert(refresh_tokens).values({**values, "revision": revision}))


async def of_token(uow: UnitOfWork, token: str) -> tuple[Session, bool] | None:
    """The session of a refresh token, locked, and whether the token was used before; None for a token we never gave."""
    query = (
        sa.select(sessions, refresh_tokens.c.used_at)
        .join_from(sessions, refresh_tokens, refresh_tokens.c.session_id == sessions.c.id)
        .where(refresh_tokens.c.hash == _hash(token))
        .with_for_update()
    )
    row = (await uow.conn.execute(query)).one_or_none()
    if row is None:
        return None
    status = SessionStatus(row.status)
    session = Session(row.id, row.tenant_id, row.user_id, row.created_at, row.expires_at, status, row.ended_at, row.provider)
    return session, row.used_at is not None


async def provider_of(uow: UnitOfWork, token: str) -> str | None:
    """The provider of identities by which the session of a refresh token was begun; None where by none, or there is no such token."""
    found = await of_token(uow, token)
    return None if found is None else found[0].provider


async def use_token(uow: UnitOfWork, token: str) -> None:
    """Write down that a refresh token was exchanged."""
    await uow.conn.execute(sa.update(refresh_tokens).where(refresh_tokens.c.hash == _hash(token)).values(used_at=uow.now))


async def save(uow: UnitOfWork, session: Session) -> None:
    """Write how a session ended."""
    values = {"status": session.status.value, "ended_at": session.ended_at}
    await uow.conn.execute(sa.update(sessions).where(sessions.c.tenant_id == session.tenant, sessions.c.id == session.id).values(values))


async def revoke_all(uow: UnitOfWork, user_id: UUID) -> None:
    """End every session of a person of this tenant."""
    where = (sessions.c.tenant_id == uow.tenant, sessions.c.user_id == user_id, sessions.c.status == SessionStatus.ACTIVE.value)
    await uow.conn.execute(sa.update(sessions).where(*where).values(status=SessionStatus.REVOKED.value, ended_at=uow.now))


async def revoked_access(uow: UnitOfWork, *, given_after: datetime, limit: int) -> list[str]:
    """Ids of access tokens of every tenant whose session ended and that would still be good.

    Where there are more than `limit` each person has the same share, and those that were shut out come before those that left.
    """
    turn = sa.func.row_number().over(
        partition_by=sessions.c.user_id, order_by=(sessions.c.ended_at.desc(), refresh_tokens.c.created_at.desc())
    )
    query = (
        sa.select(refresh_tokens.c.access_id)
        .join_from(sessions, refresh_tokens, refresh_tokens.c.session_id == sessions.c.id)
        .where(sessions.c.ended_at > given_after, refresh_tokens.c.created_at > given_after)
        .order_by(turn, sessions.c.status != SessionStatus.REVOKED.value, sessions.c.ended_at.desc())
        .limit(limit)
    )
    return list((await uow.conn.execute(query)).scalars())


async def reduced_access(uow: UnitOfWork, *, given_after: datetime, limit: int) -> list[str]:
    """Ids of access tokens of every tenant that would still be good and tell roles or groups that were taken from their person since.

    By revisions and not by times: a token may be given while its person is being changed. Where there are more than `limit` each person
    has the same share.
    """
    turn = sa.func.row_number().over(partition_by=users.c.id, order_by=refresh_tokens.c.created_at.desc())
    reduced = (users.c.reduced_revision > 0, users.c.updated_at > given_after)
    query = (
        sa.select(refresh_tokens.c.access_id)
        .join_from(users, sessions, sa.and_(sessions.c.tenant_id == users.c.tenant_id, sessions.c.user_id == users.c.id))
        .join(refresh_tokens, refresh_tokens.c.session_id == sessions.c.id)
        .where(*reduced, refresh_tokens.c.created_at > given_after, refresh_tokens.c.revision < users.c.reduced_revision)
        .order_by(turn, refresh_tokens.c.created_at.desc())
        .limit(limit)
    )
    return list((await uow.conn.execute(query)).scalars())


async def forget_expired(uow: UnitOfWork, before: datetime) -> None:
    """Delete sessions that expired before this time, with their tokens."""
    gone = sa.delete(sessions).where(sessions.c.expires_at < before).returning(sessions.c.id).cte("gone")
    await uow.conn.execute(sa.delete(refresh_tokens).where(refresh_tokens.c.session_id.in_(sa.select(gone.c.id))).add_cte(gone))


def _hash(token: str) -> bytes:
    return sha256(token.encode()).digest()
