"""Tenants and people."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query
from weft_runtime.auth import Permission
from weft_runtime.http import Asker, Door, IfMatch, Listing, OwnerUow, Page, Reply, Uow

from weft_gateway import passwords, usecases
from weft_gateway.domain import Tenant, User
from weft_gateway.schemas.people import UserBody, UserChange, UserView
from weft_gateway.schemas.people import user as user_view
from weft_gateway.schemas.tenants import TenantBody, TenantChange, TenantView
from weft_gateway.schemas.tenants import tenant as tenant_view
from weft_gateway.store import directory

door = Door("gateway")


@door.get("/tenants", may=Permission.TENANTS_MANAGE)
async def list_tenants(page: Page, uow: OwnerUow) -> Listing[TenantView]:
    """Every tenant of this installation, for operators."""
    rows = await directory.list_tenants(uow, after=page.after, limit=page.limit + 1)
    return page.listing(rows, view=tenant_view, key=lambda tenant: (tenant.id,))


@door.post("/tenants", may=Permission.TENANTS_MANAGE, status=201)
async def make_tenant(body: TenantBody, uow: OwnerUow) -> Reply[TenantView]:
    """Make a tenant, and its first administrator where one is given."""
    first = None if body.admin is None else (body.admin.email, body.admin.name, await passwords.hashed(body.admin.password))
    made = await usecases.make_tenant(body.id, body.name, body.tier, body.settings.given(), first, uow)
    return Reply(tenant_view(made), headers={"Location": f"/api/v1/tenants/{made.id}"})


@door.get("/tenants/{tenant_id}", may=Permission.TENANTS_MANAGE)
async def get_tenant(tenant_id: str, uow: OwnerUow) -> Reply[TenantView]:
    """One tenant."""
    return _tenant(await directory.get_tenant(uow, tenant_id))


@door.put("/tenants/{tenant_id}", may=Permission.TENANTS_MANAGE)
async def change_tenant(tenant_id: str, body: TenantChange, uow: OwnerUow, match: IfMatch) -> Reply[TenantView]:
    """Change a tenant: its name, what it has booked, its settings with its quotas. Heard by the engine within seconds."""
    return _tenant(await usecases.change_tenant(tenant_id, body.name, body.tier, body.settings.given(), match, uow))


@door.get("/users", may=Permission.USERS_MANAGE)
async def list_users(
    page: Page, uow: Uow, q: Annotated[str | None, Query(max_length=200)] = None, active: bool | None = None
) -> Listing[UserView]:
    """The people of this tenant. q: in their name or e-mail address."""
    rows = await directory.list_users(uow, text=q, active=active, after=page.after, limit=page.limit + 1)
    return page.listing(rows, view=user_view, key=lambda user: (user.created_at, user.id))


@door.post("/users", may=Permission.USERS_MANAGE, status=201)
async def admit_user(body: UserBody, asker: Asker, uow: Uow) -> Reply[UserView]:
    """Take a person into this tenant. Nobody gives a role that may do more than they may."""
    made = await usecases.admit_user(body.email, body.name, body.roles, body.groups, body.password, asker, uow)
    return _reply(made, headers={"Location": f"/api/v1/users/{made.id}"})


@door.get("/users/{user_id}", may=Permission.USERS_MANAGE)
async def get_user(user_id: UUID, uow: Uow) -> Reply[UserView]:
    """One person."""
    return _reply(await directory.get_user(uow, user_id))


@door.put("/users/{user_id}", may=Permission.USERS_MANAGE)
async def change_user(user_id: UUID, body: UserChange, asker: Asker, uow: Uow, match: IfMatch) -> Reply[UserView]:
    """Change a person. Who is made inactive or given another password is signed out everywhere.

    While a person is inactive their API keys are refused, too; those that were not revoked are good again when the person is active again.
    """
    changed = await usecases.change_user(
        user_id,
        name=body.name,
        roles=body.roles,
        groups=body.groups,
        active=body.active,
        password=body.password,
        etag=match,
        by=asker,
        uow=uow,
    )
    return _reply(changed)


def _tenant(tenant: Tenant) -> Reply[TenantView]:
    return Reply(tenant_view(tenant), etag=str(tenant.revision))


def _reply(user: User, headers: dict[str, str] | None = None) -> Reply[UserView]:
    return Reply(user_view(user), etag=str(user.revision), headers=headers)
