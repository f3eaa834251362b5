"""The verbs on groups and on who is in them: load, decide, save, say.

Each change of a member is a change of a person: it is told to the mesh, and a token that tells a group they were taken from is refused
within seconds, for which a new one is had by its refresh token. Groups are held before people, here and wherever both are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from weft_runtime.clock import new_id
from weft_runtime.errors import Detail
from weft_runtime.uow import UnitOfWork

from weft_gateway import domain
from weft_gateway.domain import Group
from weft_gateway.errors import GroupFull, GroupMoved, NoSuchMembers, TooManyGroups
from weft_gateway.store import directory
from weft_gateway.store import groups as store


async def make(name: str, description: str, members: Sequence[UUID], uow: UnitOfWork) -> Group:
    """A new group with its first members. Raises: GroupTaken, TooManyGroups, NoSuchMembers."""
    if await store.count(uow) >= domain.GROUPS_MAX:
        raise TooManyGroups(f"this tenant has {domain.GROUPS_MAX} groups, the most there may be; delete one that nobody needs")
    group = Group(new_id(), uow.tenant, name, uow.now, uow.now, description)
    await store.add(uow, group)
    await _set_members(group, members, uow)
    return group


async def change(
    group_id: UUID, *, name: str, description: str, members: Sequence[UUID] | None, etag: str | None, uow: UnitOfWork
) -> Group:  # fmt: skip
    """A group changed. Whoever is in it is in it by its new name; workflows that name the old one find nobody by it.

    members: all of them, None to leave them.  etag: of the state that was read, None for any.
    Raises: GroupNotFound, GroupMoved, GroupTaken, NoSuchMembers.
    """
    group = await store.get(uow, group_id, lock=True)
    if etag is not None and etag != await etag_of(group, uow):
        raise GroupMoved(f"group {group_id} was changed since you read it; read it again and redo your change")
    changed = domain.change_group(group, uow.now, name=name, description=description)
    await store.save(uow, changed)
    if changed.name != group.name:
        await _regroup(await directory.members(uow, group.name), uow, leave=group.name, join=changed.name)
    if members is not None:
        await _set_members(changed, members, uow)
    return changed


async def delete(group_id: UUID, uow: UnitOfWork) -> None:
    """Delete a group; nobody is in it any more. Raises: GroupNotFound."""
    group = await store.get(uow, group_id, lock=True)
    await _regroup(await directory.members(uow, group.name), uow, leave=group.name)
    await store.remove(uow, group)


async def join(group_id: UUID, user_ids: Sequence[UUID], uow: UnitOfWork) -> None:
    """Take people into a group; who is in it stays. Raises: GroupNotFound, NoSuchMembers, GroupFull, TooManyGroups."""
    group = await store.get(uow, group_id, lock=True)
    await _bounded(group, len({*await directory.members(uow, group.name), *user_ids}))
    await _regroup(user_ids, uow, join=group.name)


async def leave(group_id: UUID, user_ids: Sequence[UUID], uow: UnitOfWork) -> None:
    """Take people out of a group; who is not in it is not. Raises: GroupNotFound."""
    group = await store.get(uow, group_id, lock=True)
    mine = set(await directory.members(uow, group.name))
    await _regroup([user_id for user_id in user_ids if user_id in mine], uow, leave=group.name)


async def etag_of(group: Group, uow: UnitOfWork) -> str:
    """The version of a group and of who is in it."""
    return f"{group.revision}-{(await store.members(uow, group))[1]}"


async def _set_members(group: Group, wanted: Sequence[UUID], uow: UnitOfWork) -> None:
    current = await directory.members(uow, group.name)
    await _bounded(group, len(set(wanted)))
    await _regroup([one for one in wanted if one not in set(current)], uow, join=group.name, asked=wanted)
    await _regroup([one for one in current if one not in set(wanted)], uow, leave=group.name)


async def _bounded(group: Group, members: int) -> None:
    if members > domain.MEMBERS_MAX:
        raise GroupFull(f"group {group.name!r} would have {members} members; {domain.MEMBERS_MAX} are the most")


async def _regroup(
    user_ids: Iterable[UUID], uow: UnitOfWork, *, leave: str = "", join: str = "", asked: Sequence[UUID] = ()
) -> None:  # fmt: skip
    """Change the groups of people. asked: what a request listed, to point into it. Raises: NoSuchMembers, TooManyGroups."""
    wanted = list(dict.fromkeys(user_ids))
    people = await directory.locked_users(uow, wanted)
    missing = set(wanted) - {user.id for user in people}
    if missing:
        places = [f"/members/{number}" for number, one in enumerate(asked) if one in missing]
        details = [Detail(place, "user_not_found", "nobody of this tenant has this id") for place in places]
        raise NoSuchMembers(f"{len(missing)} of these are no people of this tenant, such as {min(missing)}", details=details)
    decisions = [domain.regroup(user, uow.now, leave=leave, join=join) for user in people]
    moved = [decision for decision in decisions if decision.says]
    await directory.save_users(uow, [decision.state for decision in moved])
    uow.say(*(word for decision in moved for word in decision.says))
