"""Questions after who did what, and what is shown of it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from weft_contracts.audit import Origin
from weft_runtime.http import Body

from weft_analytics.audit import Row
from weft_analytics.usecases.audit import Verdict

_JSON = ("before", "after", "details", "origin")
Name = Annotated[str, Field(max_length=300)]


class AuditQuery(BaseModel):
    """Which rows. from, to: when it was done."""

    model_config = ConfigDict(extra="ignore")
    actor: Name | None = None
    action: Name | None = None
    resource_type: Name | None = None
    resource_id: Name | None = None
    since: datetime | None = Field(default=None, alias="from")
    until: datetime | None = Field(default=None, alias="to")


class ResourceView(BaseModel):
    """What it was done to."""

    type: str
    id: str


class AuditView(BaseModel):
    """Something that was done. actor: a user's or key's id, null where it was not told.  via: what it was done with, such as a key.

    before: what the resource was, null where that is not known.  details: what else there is to tell.  origin: where it came from.
    """

    seq: int
    at: datetime
    actor: str | None
    via: str | None
    action: str
    resource: ResourceView
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    details: dict[str, Any] | None
    origin: Origin | None
    prev_hash: str
    hash: str

    @classmethod
    def of(cls, row: Row) -> AuditView:
        """The view of a row."""
        names = ("seq", "at", "actor", "via", "action", "prev_hash", "hash")
        values: dict[str, Any] = {name: None if (said := getattr(row, name)) is None else json.loads(said) for name in _JSON}
        return cls(
            resource=ResourceView(type=row.resource_type, id=row.resource_id), **values, **{name: getattr(row, name) for name in names}
        )


class VerifyBody(Body):
    """From where. after: the row that an earlier call came to, which is taken to hold."""

    after: Annotated[int, Field(ge=0, le=9_223_372_036_854_775_807)] = 0


class BrokenView(BaseModel):
    """The first row that was edited, or is missing."""

    seq: int
    problem: Literal["edited", "missing"]


class VerdictView(BaseModel):
    """Whether the chain holds. checked: rows.  to, hash: of the last row that holds; keep the hash elsewhere, and compare it later.

    complete: whether that is the newest row; where it is not and nothing is broken, ask again with `after`.
    """

    valid: bool
    checked: int
    to: int
    hash: str
    complete: bool
    broken: BrokenView | None

    @classmethod
    def of(cls, found: Verdict) -> VerdictView:
        """The view of a verdict."""
        bad = None if found.broken is None else BrokenView.model_validate(found.broken, from_attributes=True)
        return cls(valid=bad is None, checked=found.checked, to=found.to, hash=found.hash, complete=found.complete, broken=bad)
