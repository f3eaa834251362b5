"""What may be done, and which role may do it: the one table."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache


class Permission(StrEnum):
    """A verb on a resource. Each route names the one it needs."""

    WORKFLOWS_READ = "workflows.read"
    WORKFLOWS_WRITE = "workflows.write"
    WORKFLOWS_PUBLISH = "workflows.publish"
    EXECUTIONS_READ = "executions.read"
    EXECUTIONS_START = "executions.start"
    EXECUTIONS_OPERATE = "executions.operate"
    EVENTS_READ = "events.read"
    EVENTS_PUBLISH = "events.publish"
    TASKS_READ = "tasks.read"
    TASKS_ACT = "tasks.act"
    TASKS_ASSIGN = "tasks.assign"
    TASKS_LINK = "tasks.link"
    CALENDARS_READ = "calendars.read"
    CALENDARS_WRITE = "calendars.write"
    CONNECTIONS_READ = "connections.read"
    CONNECTIONS_MANAGE = "connections.manage"
    ANALYTICS_READ = "analytics.read"
    ALERTS_MANAGE = "alerts.manage"
    BUDGETS_MANAGE = "budgets.manage"
    AUDIT_READ = "audit.read"
    PARKED_MANAGE = "parked.manage"
    KEYS_MANAGE = "keys.manage"
    USERS_MANAGE = "users.manage"
    TENANTS_MANAGE = "tenants.manage"
    LIVE_READ = "live.read"
    SELF_READ = "self.read"


class Role(StrEnum):
    """The roles of the house. A tenant's own role names (for candidates of tasks) may stand beside them and allow nothing."""

    ADMIN = "admin"
    EDITOR = "editor"
    APPROVER = "approver"
    VIEWER = "viewer"
    OPERATOR = "operator"
    SERVICE = "service"


_READ = frozenset(
    {
        Permission.SELF_READ,
        Permission.WORKFLOWS_READ,
        Permission.EXECUTIONS_READ,
        Permission.EVENTS_READ,
        Permission.TASKS_READ,
        Permission.CALENDARS_READ,
        Permission.ANALYTICS_READ,
        Permission.LIVE_READ,
    }
)
_EDIT = _READ | {
    Permission.WORKFLOWS_WRITE,
    Permission.WORKFLOWS_PUBLISH,
    Permission.EXECUTIONS_START,
    Permission.EXECUTIONS_OPERATE,
    Permission.EVENTS_PUBLISH,
    Permission.TASKS_ACT,
    Permission.TASKS_ASSIGN,
    Permission.CALENDARS_WRITE,
    Permission.CONNECTIONS_READ,
    Permission.ALERTS_MANAGE,
}

ROLES: dict[str, frozenset[Permission]] = {
    Role.VIEWER: _READ,
    Role.APPROVER: _READ | {Permission.TASKS_ACT},
    Role.EDITOR: _EDIT,
    Role.ADMIN: _EDIT
    | {
        Permission.TASKS_LINK,
        Permission.CONNECTIONS_MANAGE,
        Permission.PARKED_MANAGE,
        Permission.KEYS_MANAGE,
        Permission.USERS_MANAGE,
        Permission.BUDGETS_MANAGE,
        Permission.AUDIT_READ,
    },
    Role.SERVICE: frozenset(
        {
            Permission.SELF_READ,
            Permission.WORKFLOWS_READ,
            Permission.EXECUTIONS_READ,
            Permission.EXECUTIONS_START,
            Permission.EXECUTIONS_OPERATE,
            Permission.EVENTS_READ,
            Permission.EVENTS_PUBLISH,
            Permission.TASKS_READ,
            Permission.TASKS_ACT,
            Permission.CALENDARS_READ,
            Permission.LIVE_READ,
        }
    ),
    Role.OPERATOR: _READ
    | {
        Permission.CONNECTIONS_READ,
        Permission.EXECUTIONS_OPERATE,
        Permission.ALERTS_MANAGE,
        Permission.BUDGETS_MANAGE,
        Permission.AUDIT_READ,
        Permission.PARKED_MANAGE,
        Permission.TENANTS_MANAGE,
        Permission.USERS_MANAGE,
    },
}
"""What each role allows. `operator` runs the installation: it makes tenants and mends what is stuck, and publishes nothing."""


@lru_cache(maxsize=1024)
def _of(roles: tuple[str, ...]) -> frozenset[Permission]:
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles))


def kept_roles(roles: Iterable[str], owner_roles: Iterable[str]) -> tuple[str, ...]:
    """The roles of an API key that hold while its owner has `owner_roles`: those that allow no more than they do together.

    A tenant's own role, which allows nothing, holds while the owner may give it to anybody.
    """
    allowed = permissions_of(owner_roles)
    gives = Permission.USERS_MANAGE in allowed
    return tuple(role for role in roles if permissions_of((role,)) <= allowed and (role in ROLES or gives))


def permissions_of(roles: Iterable[str]) -> frozenset[Permission]:
    """Everything these roles allow together; unknown roles allow nothing."""
    return _of(tuple(roles))
