"""The verbs on stand-ins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from weft_runtime.clock import new_id
from weft_runtime.errors import Detail
from weft_runtime.uow import UnitOfWork

from weft_tasks import auditing, standing_in
from weft_tasks import store as tasks
from weft_tasks.errors import DelegationNotFound, TooManyDelegations, UnknownAssignee
from weft_tasks.store import delegations as store
from weft_tasks.task import Who, normal_name


async def stand_in(
    absent: str | None,
    delegate: str,
    starts_at: datetime | None,
    ends_at: datetime,
    workflows: Sequence[str] | None,
    reason: str | None,
    who: Who,
    uow: UnitOfWork,
) -> Any:
    """Let somebody stand in for who is away. absent: who asks, where None.

    Returns: the row.  Raises: NotYourAbsence, UnknownAssignee, StandsInForSelf, BadTime, TooManyDelegations.
    """
    away, called = (who.by, who.selves) if absent is None else await _called(absent, "/user", uow)
    standing_in.require_may_say(who, called)
    instead, theirs = await _called(delegate, "/delegate", uow, must_be_active=True)
    standing_in.require_two(called | {away}, theirs)
    span = standing_in.span(_utc(starts_at), _utc(ends_at) or ends_at, uow.now)
    for user in sorted({away, instead}):
        # Of two at once the second sees what the first has made; in one order, so that none waits for another in a circle.
        await tasks.order(uow, f"delegations of {uow.tenant}:{user}")
    if await store.most_open(uow, away, instead) >= standing_in.MOST:
        raise TooManyDelegations(
            f"{away} or {instead} has {standing_in.MOST} stand-ins that are not over; take one back that is not needed"
        )
    values = {"absent": away, "stand_in": instead, "starts_at": span.starts_at, "ends_at": span.ends_at, "reason": reason}
    chosen = None if workflows is None else sorted(set(workflows))
    made = await store.add(uow, {**values, "id": new_id(), "workflows": chosen, "created_at": uow.now, "created_by": who.by})
    uow.say(auditing.stands_in(made))
    return made


async def read(delegation_id: UUID, who: Who, uow: UnitOfWork, *, lock: bool = False) -> Any:
    """One, as far as it concerns who asks. Raises: DelegationNotFound."""
    found = await store.find(uow, delegation_id, lock=lock)
    if found is None or not (who.may_assign or not who.selves.isdisjoint({found.absent, found.stand_in, found.created_by})):
        raise DelegationNotFound(f"there is no delegation {delegation_id} of yours; list them with GET /api/v1/delegations")
    return found


async def take_back(delegation_id: UUID, who: Who, uow: UnitOfWork) -> None:
    """End it now, or before it begins. What the stand-in has taken by then stays with them. Raises: DelegationNotFound."""
    found = await read(delegation_id, who, uow, lock=True)
    if found.revoked_at is None and uow.now < found.ends_at:
        await store.revoke(uow, delegation_id, who.by)
        uow.say(auditing.stands_in_no_more(found))


async def _called(somebody: str, pointer: str, uow: UnitOfWork, *, must_be_active: bool = False) -> tuple[str, frozenset[str]]:
    """The id of somebody, and everything they are called by. Whose tasks are looked after may have left. Raises: UnknownAssignee."""
    name = normal_name(somebody)
    found = await tasks.person(uow, name)
    if found is None and not await tasks.any_person(uow):
        return name, frozenset({name})
    if found is not None and (found.active or not must_be_active):
        return found.id, found.names
    wrong = f"{somebody} is no longer active" if found is not None else f"nobody here has the id or e-mail address {somebody}"
    raise UnknownAssignee(f"{wrong}; name somebody else", details=[Detail(pointer, UnknownAssignee.code, wrong)])


def _utc(time: datetime | None) -> datetime | None:
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time
