"""HTTP bodies and views of what counts of tables' changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError
from weft_language.expressions import ExpressionError, compile_conditions
from weft_language.model.part import SLUG_PATTERN
from weft_runtime.http import Body

from weft_events.domain import Candidate
from weft_events.records import Source, TableEvents
from weft_events.records.watching import OPERATIONS

Operation = Literal["create", "update", "delete"]
_READ: Final = frozenset({"trigger", "tenant", "now"})


def _conditions(given: Any) -> Any:
    if given is None:
        return None
    try:
        compiled = compile_conditions(given)
    except ExpressionError as error:
        raise PydanticCustomError("bad_conditions", "{detail}", {"detail": f"{error.pointer or '/'}: {error.message}"}) from error
    unknown = sorted({str(path[0]) for path in compiled.references} - _READ)
    if unknown:
        message = "conditions on a change read trigger, tenant and now, not {name}; the row is trigger.payload.record"
        raise PydanticCustomError("bad_conditions", message, {"name": unknown[0][:60]})
    return given


def _apart(given: list[str]) -> list[str]:
    if len(set(given)) < len(given):
        raise PydanticCustomError("not_unique", "each is named once")
    return given


class TableEventsBody(Body):
    """What counts of a table's changes. What is left out is as it is without settings."""

    enabled: bool = True
    operations: Annotated[list[Operation], Field(min_length=1, max_length=3), AfterValidator(_apart)] = Field(
        default_factory=lambda: list[Operation](OPERATIONS)
    )
    fields: Annotated[list[Annotated[str, Field(min_length=1, max_length=128)]], Field(max_length=500), AfterValidator(_apart)] = Field(
        default_factory=list, description="An update counts when one of these changed; any will do where there are none."
    )
    conditions: Annotated[dict[str, Any] | list[Any] | None, AfterValidator(_conditions)] = Field(
        default=None, description="Conditions as data, over `trigger`, that a change has to meet."
    )
    workflows: (
        Annotated[list[Annotated[str, Field(pattern=SLUG_PATTERN, max_length=100)]], Field(max_length=500), AfterValidator(_apart)] | None
    ) = Field(default=None, description="Only triggers of these are considered; those of all where it is null.")

    def asked(self, name: str) -> TableEvents:
        """It as it is kept."""
        workflows = None if self.workflows is None else tuple(self.workflows)
        return TableEvents(name, self.enabled, tuple(self.operations), tuple(self.fields), self.conditions, workflows)


class TableSourceView(BaseModel):
    """The source that has a table."""

    id: UUID
    name: str
    state: str
    healthy: bool


class ListeningView(BaseModel):
    """A trigger of an active workflow on changes of a table. considered: whether the table's settings let it be."""

    workflow: str
    version: int
    trigger: str
    operations: list[str]
    changed: list[str]
    enabled: bool
    considered: bool


class TableEventsView(BaseModel):
    """What counts of a table's changes, and who listens. configured: whether it has settings; else everything counts."""

    table: str
    configured: bool
    enabled: bool
    operations: list[str]
    fields: list[str]
    conditions: Any
    workflows: list[str] | None
    source: TableSourceView | None
    triggers: list[ListeningView]
    version: int
    created_at: datetime | None
    updated_at: datetime | None
    updated_by: str | None


def table_events(one: TableEvents, of: Source | None, found: Sequence[Candidate]) -> TableEventsView:
    """The settings of a table. of: its source.  found: the triggers on it."""
    return TableEventsView(
        table=one.name,
        configured=one.version > 0,
        enabled=one.enabled,
        operations=list(one.operations),
        fields=list(one.fields),
        conditions=one.conditions,
        workflows=None if one.workflows is None else list(one.workflows),
        source=None if of is None else TableSourceView(id=of.id, name=of.name, state=of.state, healthy=of.healthy),
        triggers=[_listening(one, each) for each in found],
        version=one.version,
        created_at=one.created_at,
        updated_at=one.updated_at,
        updated_by=one.updated_by,
    )


def _listening(settings: TableEvents, one: Candidate) -> ListeningView:
    rows = one.trigger.rows
    considered = settings.enabled and (settings.workflows is None or one.workflow in settings.workflows)
    return ListeningView(
        workflow=one.workflow,
        version=one.version,
        trigger=one.trigger.id,
        operations=[] if rows is None else [each for each in OPERATIONS if each in rows.operations],
        changed=[] if rows is None else sorted(rows.changed),
        enabled=one.trigger.enabled,
        considered=considered,
    )
