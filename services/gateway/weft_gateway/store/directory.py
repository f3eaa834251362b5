"""Queries on tenants and people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_runtime.uow import UnitOfWork

from weft_gateway.domain import Tenant, User
from weft_gateway.errors import EmailTaken, TenantNotFound, TenantTaken, UserNotFound
from weft_gateway.tables import passwords, tenants, users


async def get_tenant(uow: UnitOfWork, tenant: str, *, lock: bool = False) -> Tenant:
    """A tenant by its id. lock: hold the row until the transaction ends. Raises: TenantNotFound."""
    query = sa.select(tenants).where(tenants.c.tenant_id == tenant)
    row = (await uow.conn.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
    if row is None:
        raise TenantNotFound(f"there is no tenant {tenant!r}")
    return _tenant(row)


async def add_tenant(uow: UnitOfWork, tenant: Tenant) -> None:
    """Write a new tenant. Raises: TenantTaken."""
    values = {
        "tenant_id": tenant.id,
        "name": tenant.name,
        "tier": tenant.tier,
        "settings": tenant.settings,
        "revision": tenant.revision,
        "created_at": tenant.created_at,
    }
    statement = insert(tenants).values(values).on_conflict_do_nothing().returning(tenants.c.tenant_id)
    if (await uow.conn.execute(statement)).first() is None:
        raise TenantTaken(f"there is already a tenant {tenant.id!r}; choose another id")


async def save_tenant(uow: UnitOfWork, tenant: Tenant) -> None:
    """Write a tenant that was read under its lock."""
    values = {"name": tenant.name, "tier": tenant.tier, "settings": tenant.settings, "revision": tenant.revision}
    await uow.conn.execute(sa.update(tenants).where(tenants.c.tenant_id == tenant.id).values(values))


async def list_tenants(uow: UnitOfWork, *, after: tuple[Any, ...] | None, limit: int) -> list[Tenant]:
    """Tenants by id. after: the (id,) of the last one seen."""
    query = sa.select(tenants)
    if after is not None:
        query = query.where(tenants.c.tenant_id > after[0])
    return [_tenant(row) for row in (await uow.conn.execute(query.order_by(tenants.c.tenant_id).limit(limit))).mappings()]


async def get_user(uow: UnitOfWork, user_id: UUID, *, lock: bool = False) -> User:
    """A person of this tenant. lock: hold the row until the transaction ends. Raises: UserNotFound."""
    query = sa.select(users).where(users.c.tenant_id == uow.tenant, users.c.id == user_id)
    row = (await uow.conn.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
    if row is None:
        raise UserNotFound(f"there is no user {user_id}; GET /api/v1/users lists those there are")
    return _user(row)


async def find_user(uow: UnitOfWork, user_id: str, *, lock: bool = False) -> User | None:
    """A person of this tenant by the id in a token, None where it is none of the directory's. lock: as `get_user`."""
    try:
        return await get_user(uow, UUID(user_id), lock=lock)
    except (ValueError, UserNotFound):
        return None


async def find_by_email(uow: UnitOfWork, email: str) -> tuple[User, str | None] | None:
    """The person with this address in any tenant, and the hash of their password; for signing in only. None where there is nobody."""
    query = sa.select(users, passwords.c.phc).join_from(users, passwords, passwords.c.user_id == users.c.id, isouter=True)
    row = (await uow.conn.execute(query.where(users.c.email == email))).mappings().one_or_none()
    return None if row is None else (_user(row), row["phc"])


async def add_user(uow: UnitOfWork, user: User) -> None:
    """Write a new person. Raises: EmailTaken."""
    statement = insert(users).values(_user_row(user)).on_conflict_do_nothing().returning(users.c.id)
    if (await uow.conn.execute(statement)).first() is None:
        raise EmailTaken(f"{user.email} signs in already; an address belongs to one person of one tenant")


async def save_user(uow: UnitOfWork, user: User) -> None:
    """Write a person that was read under their lock."""
    await uow.conn.execute(sa.update(users).where(users.c.tenant_id == user.tenant, users.c.id == user.id).values(_user_row(user)))


async def list_users(uow: UnitOfWork, *, text: str | None, active: bool | None, after: tuple[Any, ...] | None, limit: int) -> list[User]:
    """People of this tenant in the order they came. text: in the name or the address.  after: (created_at, id) of the last one seen."""
    query = sa.select(users).where(users.c.tenant_id == uow.tenant)
    if text:
        query = query.where(sa.or_(users.c.name.icontains(text, autoescape=True), users.c.email.icontains(text, autoescape=True)))
    if active is not None:
        query = query.where(users.c.active == active)
    if after is not None:
        query = query.where(sa.tuple_(users.c.created_at, users.c.id) > sa.tuple_(*map(sa.literal, after)))
    rows = (await uow.conn.execute(query.order_by(users.c.created_at, users.c.id).limit(limit))).mappings()
    return [_user(row) for row in rows]


async def save_password(uow: UnitOfWork, user: User, phc: str) -> None:
    """Give a person a password. phc: its argon2id hash."""
    statement = insert(passwords).values(tenant_id=user.tenant, user_id=user.id, phc=phc, changed_at=uow.now)
    renewed = {"phc": statement.excluded.phc, "changed_at": statement.excluded.changed_at}
    await uow.conn.execute(statement.on_conflict_do_update(index_elements=[passwords.c.user_id], set_=renewed))


async def locked_users(uow: UnitOfWork, user_ids: Iterable[UUID]) -> list[User]:
    """Those of these people who are of this tenant, held until the transaction ends."""
    # In one order everywhere, so that two who change the same people cannot wait for each other.
    query = sa.select(users).where(users.c.tenant_id == uow.tenant, users.c.id.in_(list(user_ids))).order_by(users.c.id)
    return [_user(row) for row in (await uow.conn.execute(query.with_for_update())).mappings()]


async def save_users(uow: UnitOfWork, changed: Sequence[User]) -> None:
    """Write people that were read under their locks."""
    if changed:
        statement = sa.update(users).where(users.c.tenant_id == uow.tenant, users.c.id == sa.bindparam("user_id"))
        await uow.conn.execute(statement, [{"user_id": user.id, **_user_row(user)} for user in changed])


async def members(uow: UnitOfWork, group: str) -> list[UUID]:
    """The ids of everybody of this tenant who is in a group, active or not, in order."""
    query = sa.select(users.c.id).where(users.c.tenant_id == uow.tenant, users.c.groups.contains([group]))
    return list((await uow.conn.execute(query.order_by(users.c.id))).scalars())


async def list_members(uow: UnitOfWork, group: str, *, after: tuple[Any, ...] | None, limit: int) -> list[User]:
    """People of this tenant who are in a group, by id. after: the (id,) of the last one seen."""
    query = sa.select(users).where(users.c.tenant_id == uow.tenant, users.c.groups.contains([group]))
    if after is not None:
        query = query.where(users.c.id > after[0])
    return [_user(row) for row in (await uow.conn.execute(query.order_by(users.c.id).limit(limit))).mappings()]


def _tenant(row: Mapping[Any, Any]) -> Tenant:
    return Tenant(row["tenant_id"], row["name"], row["created_at"], row["tier"], row["settings"], row["revision"])


_USER_FIELDS = ("id", "email", "name", "created_at", "updated_at", "active", "revision", "reduced_revision")


def _user(row: Mapping[Any, Any]) -> User:
    fields = {name: row[name] for name in _USER_FIELDS}
    return User(tenant=row["tenant_id"], roles=tuple(row["roles"]), groups=tuple(row["groups"]), **fields)


def _user_row(user: User) -> dict[str, Any]:
    fields = {name: getattr(user, name) for name in _USER_FIELDS}
    return fields | {"tenant_id": user.tenant, "roles": list(user.roles), "groups": list(user.groups)}
