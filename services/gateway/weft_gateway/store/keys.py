"""Queries on signing keys and API keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from weft_runtime.uow import UnitOfWork

from weft_gateway.domain import ApiKey, User, lowered_to
from weft_gateway.errors import ApiKeyNotFound
from weft_gateway.keyring import StoredKey
from weft_gateway.tables import api_keys, signing_keys

_ROTATION_LOCK = "weft gateway signing keys"
_REFUSED = sa.or_(api_keys.c.revoked_at.is_not(None), api_keys.c.suspended_at.is_not(None))


async def lock_rotation(uow: UnitOfWork) -> None:
    """Be the only one who makes or retires signing keys until the transaction ends."""
    await uow.conn.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(_ROTATION_LOCK))))


async def published(uow: UnitOfWork) -> list[StoredKey]:
    """The keys that are still published, the newest first."""
    query = sa.select(signing_keys).where(signing_keys.c.publish_until > uow.now)
    rows = await uow.conn.execute(query.order_by(signing_keys.c.created_at.desc(), signing_keys.c.kid))
    return [StoredKey(row.kid, row.public, bytes(row.sealed), row.created_at, row.publish_until, row.retired_at) for row in rows]


async def add_signing_key(uow: UnitOfWork, key: StoredKey) -> None:
    """Keep a new signing key and retire those before it."""
    await uow.conn.execute(sa.update(signing_keys).where(signing_keys.c.retired_at.is_(None)).values(retired_at=key.created_at))
    values = {"kid": key.kid, "public": key.public, "sealed": key.sealed, "created_at": key.created_at, "publish_until": key.publish_until}
    await uow.conn.execute(sa.insert(signing_keys).values(values))


async def forget_signing_keys(uow: UnitOfWork) -> None:
    """Delete keys none of whose tokens can be alive."""
    await uow.conn.execute(sa.delete(signing_keys).where(signing_keys.c.publish_until <= uow.now))


async def add_api_key(uow: UnitOfWork, key: ApiKey) -> None:
    """Keep a new API key, its secret not."""
    statement = sa.insert(api_keys).values(
        tenant_id=key.tenant,
        id=key.id,
        name=key.name,
        roles=list(key.roles),
        created_by=key.created_by,
        created_at=key.created_at,
        expires_at=key.expires_at,
        owner=key.owner,
        service=key.service,
        lowered_to=None if key.lowered_to is None else list(key.lowered_to),
    )
    await uow.conn.execute(statement)


async def get_api_key(uow: UnitOfWork, id: UUID, *, lock: bool = False) -> ApiKey:
    """One API key of the caller's tenant. lock: nobody else changes it while the transaction lasts. Raises: ApiKeyNotFound."""
    query = sa.select(api_keys).where(api_keys.c.tenant_id == uow.tenant, api_keys.c.id == id)
    row = (await uow.conn.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise ApiKeyNotFound(f"there is no API key {id}; list them with GET /api/v1/api-keys")
    return _api_key(row)


async def save_api_key(uow: UnitOfWork, key: ApiKey) -> None:
    """Write that a key is revoked."""
    where = (api_keys.c.tenant_id == key.tenant, api_keys.c.id == key.id)
    await uow.conn.execute(sa.update(api_keys).where(*where).values(revoked_at=key.revoked_at, revoked_by=key.revoked_by))


async def follow_owner(uow: UnitOfWork, owner: User) -> None:
    """Let the keys of a person of this tenant rest while they are not active, and do no more than they may. Keys of the tenant stay."""
    mine = (api_keys.c.tenant_id == uow.tenant, api_keys.c.owner == str(owner.id), api_keys.c.service.is_(False))
    rests = api_keys.c.suspended_at.is_not(None)
    changed = sa.update(api_keys).where(*mine, rests if owner.active else sa.not_(rests))
    await uow.conn.execute(changed.values(suspended_at=None if owner.active else uow.now))
    kept = await uow.conn.execute(sa.select(api_keys.c.id, api_keys.c.roles).where(*mine))
    lowered = {row.id: lowered_to(row.roles, owner.roles) for row in kept}
    await uow.conn.execute(sa.update(api_keys).where(*mine, api_keys.c.lowered_to.is_not(None)).values(lowered_to=None))
    for roles in {roles for roles in lowered.values() if roles is not None}:
        ids = [id_ for id_, wanted in lowered.items() if wanted == roles]
        await uow.conn.execute(sa.update(api_keys).where(*mine, api_keys.c.id.in_(ids)).values(lowered_to=list(roles)))


async def list_api_keys(uow: UnitOfWork, *, after: tuple[Any, ...] | None, limit: int) -> list[ApiKey]:
    """API keys of the caller's tenant, the newest first."""
    order = (api_keys.c.created_at.desc(), api_keys.c.id.desc())
    statement = sa.select(api_keys).where(api_keys.c.tenant_id == uow.tenant).order_by(*order).limit(limit)
    if after is not None:
        statement = statement.where(sa.tuple_(api_keys.c.created_at, api_keys.c.id) < sa.tuple_(*after))
    return [_api_key(row) for row in await uow.conn.execute(statement)]


async def count_kept(uow: UnitOfWork) -> int:
    """How many API keys of the caller's tenant have not expired, revoked ones too."""
    query = sa.select(sa.func.count()).where(api_keys.c.tenant_id == uow.tenant, api_keys.c.expires_at > uow.now)
    return int((await uow.conn.execute(query)).scalar_one())


async def revoked_api_keys(uow: UnitOfWork, *, expires_after: datetime, limit: int) -> list[str]:
    """Ids of API keys of every tenant that were revoked, or rest with their owner, and would still be good.

    Where there are more than `limit` each tenant has the same share, its latest revoked ones: whoever revokes without end brings back
    their own keys, and nobody else's.
    """
    since = sa.func.greatest(api_keys.c.revoked_at, api_keys.c.suspended_at)
    turn = sa.func.row_number().over(partition_by=api_keys.c.tenant_id, order_by=since.desc())
    query = sa.select(api_keys.c.id).where(_REFUSED, api_keys.c.expires_at > expires_after)
    query = query.order_by(turn, since.desc()).limit(limit)
    return [str(key_id) for key_id in (await uow.conn.execute(query)).scalars()]


async def lowered_api_keys(uow: UnitOfWork, *, expires_after: datetime, limit: int) -> dict[str, list[str]]:
    """The ids of API keys of every tenant that are good and allow more than their owners may, with what they may, by roles."""
    turn = sa.func.row_number().over(partition_by=api_keys.c.tenant_id, order_by=api_keys.c.id.desc())
    good = (sa.not_(_REFUSED), api_keys.c.lowered_to.is_not(None), api_keys.c.expires_at > expires_after)
    query = sa.select(api_keys.c.id, api_keys.c.lowered_to).where(*good).order_by(turn, api_keys.c.id.desc()).limit(limit)
    return {str(row.id): list(row.lowered_to) for row in await uow.conn.execute(query)}


def _api_key(row: sa.Row[Any]) -> ApiKey:
    return ApiKey(
        row.id, row.tenant_id, row.name, tuple(row.roles), row.created_by, row.created_at, row.expires_at, row.revoked_at, row.revoked_by,
        row.owner, row.service, row.suspended_at, None if row.lowered_to is None else tuple(row.lowered_to),
    )  # fmt: skip
