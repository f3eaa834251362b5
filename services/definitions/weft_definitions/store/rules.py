"""Rules, always of one tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from weft_runtime.uow import UnitOfWork

from weft_definitions.domain import Workflow
from weft_definitions.errors import ManagedByRule, RuleNotFound
from weft_definitions.machine import WorkflowStatus
from weft_definitions.rules.rule import Rule
from weft_definitions.store import workflow_of
from weft_definitions.tables import rule, workflow

_FIELDS = ("slug", "document", "edit", "created_by", "created_at", "updated_by", "updated_at")


async def get(uow: UnitOfWork, slug: str) -> Rule:
    """A rule. Raises: RuleNotFound."""
    row = (await uow.conn.execute(_of(uow, slug))).mappings().one_or_none()
    if row is None:
        raise RuleNotFound(f"there is no rule {slug[:100]!r}; GET /api/v1/rules lists those there are")
    return _rule(row)


async def refuse_managed(uow: UnitOfWork, slug: str) -> None:
    """Let a workflow be changed by hand that no rule is behind. Raises: ManagedByRule."""
    if (await uow.conn.execute(_of(uow, slug))).first() is not None:
        raise ManagedByRule(
            f"{slug} is the workflow of a rule and changes with it: use PUT /api/v1/rules/{slug}, "
            f"or detach it for good with DELETE /api/v1/rules/{slug}?keep=workflow",
            extra={"rule": slug},
        )


async def add(uow: UnitOfWork, made: Rule) -> None:
    """Write a new rule, beside its new workflow: the slug is free."""
    await uow.conn.execute(sa.insert(rule).values(tenant_id=uow.tenant, **_row(made)))


async def save(uow: UnitOfWork, made: Rule) -> None:
    """Write a rule whose workflow is held."""
    await uow.conn.execute(sa.update(rule).where(rule.c.tenant_id == uow.tenant, rule.c.slug == made.slug).values(_row(made)))


async def remove(uow: UnitOfWork, slug: str) -> None:
    """Forget a rule whose workflow is held."""
    await uow.conn.execute(sa.delete(rule).where(rule.c.tenant_id == uow.tenant, rule.c.slug == slug))


async def list_rules(
    uow: UnitOfWork,
    *,
    status: Sequence[WorkflowStatus],
    entity_type: str | None,
    text: str | None,
    after: tuple[Any, ...] | None,
    limit: int,
) -> list[tuple[Rule, Workflow]]:
    """Rules with their workflows, newest first. text: in slug, name or description.  after: the (created_at, slug) of the last one seen."""
    columns = [rule.c[name].label(f"rule_{name}") for name in _FIELDS]
    both = rule.join(workflow, sa.and_(workflow.c.tenant_id == rule.c.tenant_id, workflow.c.slug == rule.c.slug))
    query = sa.select(workflow, *columns).select_from(both).where(rule.c.tenant_id == uow.tenant)
    if status:
        query = query.where(workflow.c.status.in_(status))
    if entity_type:
        query = query.where(rule.c.entity_type == entity_type)
    if text:
        searched = (workflow.c.slug, workflow.c.name, workflow.c.description)
        query = query.where(sa.or_(*(column.icontains(text, autoescape=True) for column in searched)))
    if after is not None:
        query = query.where(sa.tuple_(rule.c.created_at, rule.c.slug) < sa.tuple_(*map(sa.literal, after)))
    query = query.order_by(rule.c.created_at.desc(), rule.c.slug.desc()).limit(limit)
    names = [column.name for column in workflow.columns]
    rows = (await uow.conn.execute(query)).mappings()
    return [(Rule(**{name: row[f"rule_{name}"] for name in _FIELDS}), workflow_of({name: row[name] for name in names})) for row in rows]


def _of(uow: UnitOfWork, slug: str) -> sa.Select[Any]:
    return sa.select(*(rule.c[name] for name in _FIELDS)).where(rule.c.tenant_id == uow.tenant, rule.c.slug == slug)


def _rule(row: Mapping[Any, Any]) -> Rule:
    return Rule(**{name: row[name] for name in _FIELDS})


def _row(made: Rule) -> dict[str, Any]:
    return {name: getattr(made, name) for name in _FIELDS} | {"entity_type": made.document["trigger"]["entity_type"]}
