"""The copy of a tenant's people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from weft_contracts.directory import UserChanged
from weft_runtime.uow import UnitOfWork

from weft_tasks.notifications import Audience
from weft_tasks.tables import people


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the tenant. names: what tasks may call them by: id and e-mail address."""

    id: str
    email: str
    active: bool

    @property
    def names(self) -> frozenset[str]:
        """Everything a task may call them by."""
        return frozenset({self.id, self.email})


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody active, with what they are reached by. email: "" where no address of theirs is known."""

    id: str
    email: str = ""
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """Everything an audience may call them by."""
        return frozenset(name for name in (self.id, self.email) if name)


async def keep_person(uow: UnitOfWork, person: UserChanged) -> None:
    """Keep the newest copy of a person."""
    values = {
        "email": person.email.lower(),
        "name": person.name,
        "active": person.active,
        "revision": person.revision,
        "roles": list(person.roles),
        "groups": list(person.groups),
    }
    statement = insert(people).values(tenant_id=uow.tenant, user_id=person.user_id, **values)
    # The same revision again tells the roles and groups that a release before this one did not keep.
    newer = people.c.revision <= person.revision
    await uow.conn.execute(statement.on_conflict_do_update(index_elements=["tenant_id", "user_id"], set_=values, where=newer))


async def names(uow: UnitOfWork, whom: Iterable[str | None]) -> dict[str, str]:
    """Names of people by what tasks call them: ids or e-mail addresses. Who is not known here is left out."""
    asked = {one for one in whom if one}
    if not asked:
        return {}
    by_id = sa.cast(people.c.user_id, sa.Text)
    query = sa.select(by_id.label("id"), people.c.email, people.c.name).where(
        people.c.tenant_id == uow.tenant, sa.or_(people.c.user_id.in_(_ids(asked)), people.c.email.in_(sorted(asked)))
    )
    rows = (await uow.conn.execute(query)).all()
    return {key: row.name for row in rows for key in (row.id, row.email) if key in asked}


async def person(uow: UnitOfWork, whom: str) -> Person | None:
    """Somebody by id or e-mail address, None where nobody is known by that. Of two with one address, whoever is active."""
    query = sa.select(people.c.user_id, people.c.email, people.c.active).where(
        people.c.tenant_id == uow.tenant, sa.or_(people.c.user_id.in_(_ids({whom})), people.c.email == whom)
    )
    row = (await uow.conn.execute(query.order_by(people.c.active.desc()).limit(1))).one_or_none()
    return None if row is None else Person(str(row.user_id), row.email, row.active)


async def audience(uow: UnitOfWork, to: Audience, limit: int) -> list[Member]:
    """Everybody active whom an audience stands for, each once, at most so many."""
    query = sa.select(people.c.user_id, people.c.email, people.c.roles, people.c.groups).where(
        people.c.tenant_id == uow.tenant,
        people.c.active,
        sa.or_(
            people.c.user_id.in_(_ids(to.users)),
            people.c.email.in_(to.users),
            people.c.roles.overlap(list(to.roles)),
            people.c.groups.overlap(list(to.groups)),
        ),
    )
    rows = await uow.conn.execute(query.order_by(people.c.user_id).limit(limit))
    return [Member(str(row.user_id), row.email, frozenset(row.roles), frozenset(row.groups)) for row in rows]


async def any_person(uow: UnitOfWork) -> bool:
    """Whether anybody of the tenant is known here."""
    return (await uow.conn.execute(sa.select(people.c.user_id).where(people.c.tenant_id == uow.tenant).limit(1))).first() is not None


def _ids(names: Iterable[str]) -> list[UUID]:
    found = []
    for name in names:
        try:
            found.append(UUID(name))
        except ValueError:
            continue
    return found
