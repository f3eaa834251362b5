"""HTTP bodies and views of stand-ins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from weft_runtime.http import Body, Several

from weft_tasks.standing_in import Standing, standing

Somebody = Annotated[str, Field(min_length=1, max_length=320)]


class DelegationBody(Body):
    """Who stands in for whom.

    user: who is away, an id or e-mail address; who asks where absent.  delegate: who stands in.  from: now where absent.
    workflows: slugs; all where absent.
    """

    user: Somebody | None = None
    delegate: Somebody
    starts_at: datetime | None = Field(default=None, alias="from")
    ends_at: datetime = Field(alias="to", description="The first moment at which nobody stands in any more.")
    workflows: Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(min_length=1, max_length=100)] | None = None
    reason: str | None = Field(default=None, max_length=500)


class DelegationQuery(BaseModel):
    """Which stand-ins: of whom, who they are, and how they stand now."""

    model_config = ConfigDict(extra="ignore")
    user: Annotated[str, Field(max_length=320)] | None = None
    delegate: Annotated[str, Field(max_length=320)] | None = None
    status: Annotated[list[Standing], Several] = Field(default_factory=list)


class DelegationView(BaseModel):
    """Who stands in for whom, and how that stands now."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)
    id: UUID
    user: str
    user_name: str | None
    delegate: str
    delegate_name: str | None
    starts_at: datetime = Field(alias="from")
    ends_at: datetime = Field(alias="to")
    workflows: list[str] | None
    reason: str | None
    status: Standing
    created_at: datetime
    created_by: str
    revoked_at: datetime | None
    revoked_by: str | None


def view(row: Any, names: Mapping[str, str], now: datetime) -> DelegationView:
    """A row as it is shown. names: of people by id or e-mail address."""
    return DelegationView(
        id=row.id,
        user=row.absent,
        user_name=names.get(row.absent),
        delegate=row.stand_in,
        delegate_name=names.get(row.stand_in),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        workflows=row.workflows,
        reason=row.reason,
        status=standing(row.starts_at, row.ends_at, row.revoked_at, now),
        created_at=row.created_at,
        created_by=row.created_by,
        revoked_at=row.revoked_at,
        revoked_by=row.revoked_by,
    )
