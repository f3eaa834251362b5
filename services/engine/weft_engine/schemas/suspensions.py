"""Bodies and views of suspensions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError
from weft_runtime.http import Body


class SuspensionBody(Body):
    """What to hold up. name: a workflow's slug, a node type or a connection's name; left out for the whole tenant."""

    kind: Literal["tenant", "workflow", "node_type", "connection"]
    name: str = Field(default="", max_length=100)
    reason: str | None = Field(default=None, max_length=2000)

    @model_validator(mode="after")
    def _named(self) -> SuspensionBody:
        if (self.kind == "tenant") != (self.name == ""):
            raise PydanticCustomError("name", "give the `name` of the workflow, node type or connection, and none for the tenant")
        return self


class SuspensionView(BaseModel):
    """What is held up, since when and by whom. pause_job: the bulk job that pauses what lived then."""

    id: UUID
    kind: str
    name: str
    reason: str | None
    since: datetime
    by: str | None
    pause_job: UUID | None
    lifted_at: datetime | None
    lifted_by: str | None

    @classmethod
    def of(cls, row: Any) -> SuspensionView:
        """The view of a row."""
        return cls.model_validate(row, from_attributes=True)
