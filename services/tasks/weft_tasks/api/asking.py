"""Who asks, as tasks see them."""

from __future__ import annotations

from dataclasses import replace

from weft_runtime.auth import Caller, Permission
from weft_runtime.uow import UnitOfWork

from weft_tasks.store import delegations
from weft_tasks.task import Who


def signed_in(caller: Caller) -> Who:
    """A caller in their own right."""
    may_act, may_assign = caller.may(Permission.TASKS_ACT), caller.may(Permission.TASKS_ASSIGN)
    return Who(caller.sub, caller.email, caller.groups, caller.roles, may_act, may_assign, caller.owner)


async def who_is(caller: Caller, uow: UnitOfWork) -> Who:
    """A caller with those whom they stand in for now. A key stands in for nobody."""
    who = signed_in(caller)
    return who if caller.kind == "key" else replace(who, stands_for=await delegations.standing_for(uow, who.names))
