"""Groups and who is in them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query
from weft_runtime.auth import Permission
from weft_runtime.http import Door, IfMatch, Listing, Page, Reply, Uow
from weft_runtime.uow import UnitOfWork

from weft_gateway import grouping
from weft_gateway.domain import Group
from weft_gateway.schemas.people import GroupBody, GroupChange, GroupView, MemberView
from weft_gateway.schemas.people import group as view
from weft_gateway.store import directory
from weft_gateway.store import groups as store

door = Door("gateway")


@door.get("/groups", may=Permission.USERS_MANAGE)
async def list_groups(page: Page, uow: Uow, q: Annotated[str | None, Query(max_length=200)] = None) -> Listing[GroupView]:
    """The groups of this tenant by name. q: in the name."""
    after = None if page.after is None else page.after[0]
    rows = await store.page(uow, text=q, after=after, limit=page.limit + 1)
    return page.listing(rows, view=lambda row: view(*row), key=lambda row: (row[0].name,))


@door.post("/groups", may=Permission.USERS_MANAGE, status=201)
async def make_group(body: GroupBody, uow: Uow) -> Reply[GroupView]:
    """Make a group. Its name is what tasks name as candidates and what tokens tell in `groups`; it lets nobody do more."""
    made = await grouping.make(body.name, body.description, body.members, uow)
    return await _reply(made, uow, {"Location": f"/api/v1/groups/{made.id}"})


@door.get("/groups/{group_id}", may=Permission.USERS_MANAGE)
async def get_group(group_id: UUID, uow: Uow) -> Reply[GroupView]:
    """One group. Its etag is another one where others are in it, too."""
    return await _reply(await store.get(uow, group_id), uow)


@door.put("/groups/{group_id}", may=Permission.USERS_MANAGE)
async def change_group(group_id: UUID, body: GroupChange, uow: Uow, match: IfMatch) -> Reply[GroupView]:
    """Change a group, and who is in it where `members` says so. Workflows that name it by another name than its new one find nobody.

    Who was taken from it goes on with a token that tells so within seconds, as with roles.
    """
    changed = await grouping.change(
        group_id, name=body.name, description=body.description, members=body.members, etag=match, uow=uow
    )  # fmt: skip
    return await _reply(changed, uow)


@door.delete("/groups/{group_id}", may=Permission.USERS_MANAGE, status=204)
async def delete_group(group_id: UUID, uow: Uow) -> None:
    """Delete a group; its people stay, and are in it no more."""
    await grouping.delete(group_id, uow)


@door.get("/groups/{group_id}/members", may=Permission.USERS_MANAGE)
async def list_group_members(group_id: UUID, page: Page, uow: Uow) -> Listing[MemberView]:
    """Who is in a group, those who are not active too."""
    group = await store.get(uow, group_id)
    rows = await directory.list_members(uow, group.name, after=page.after, limit=page.limit + 1)
    return page.listing(
        rows, view=lambda user: MemberView(id=user.id, email=user.email, name=user.name, active=user.active), key=lambda user: (user.id,)
    )


@door.put("/groups/{group_id}/members/{user_id}", may=Permission.USERS_MANAGE, status=204)
async def add_group_member(group_id: UUID, user_id: UUID, uow: Uow) -> None:
    """Take a person into a group; again, and nothing changes."""
    await directory.get_user(uow, user_id)
    await grouping.join(group_id, [user_id], uow)


@door.delete("/groups/{group_id}/members/{user_id}", may=Permission.USERS_MANAGE, status=204)
async def remove_group_member(group_id: UUID, user_id: UUID, uow: Uow) -> None:
    """Take a person out of a group; again, and nothing changes."""
    await grouping.leave(group_id, [user_id], uow)


async def _reply(group: Group, uow: UnitOfWork, headers: dict[str, str] | None = None) -> Reply[GroupView]:
    active, _ = await store.members(uow, group)
    return Reply(view(group, active), etag=await grouping.etag_of(group, uow), headers=headers)
