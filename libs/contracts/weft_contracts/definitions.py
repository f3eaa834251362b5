"""What the definitions service says."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from weft_contracts.audit import Origin
from weft_contracts.message import Event


class WorkflowChanged(Event):
    """A workflow was published, activated, deactivated or archived. It carries all that others need to keep a copy.

    Heard by engine (to run it), events (to match its triggers), tasks (whose it is) and analytics. A reader ignores a `revision` it has
    passed.
    """

    type, version = "workflow.changed", 1
    owner: ClassVar[str] = "definitions"
    slug: str
    name: str
    revision: int = Field(ge=1, description="Counts every change of this workflow; the higher one is the truth.")
    status: Literal["active", "inactive", "archived"]
    active_version: int | None = Field(default=None, ge=1, description="The version that new executions run.")
    definition: dict[str, Any] | None = Field(default=None, description="The document of `active_version`, weft/v1.")
    labels: dict[str, str] = Field(default_factory=dict)
    by: str | None = Field(default=None, description="Who did it: a user's or key's id.")
    origin: Origin | None = None


class WorkflowDrafted(Event):
    """A workflow has a draft, or another one. Heard by engine, which simulates it and starts nothing by it."""

    type, version = "workflow.drafted", 1
    owner: ClassVar[str] = "definitions"
    slug: str
    draft_version: int = Field(ge=1, description="The number that it has when it is published.")
    edit: int = Field(ge=1, description="Counts every change of the workflow; the higher one is the truth.")
    definition: dict[str, Any] = Field(description="weft/v1.")


class WorkflowInstalled(Event):
    """A service has stored its copy of a change of a workflow. Heard by definitions, which answers a publish when all have."""

    type, version = "workflow.installed", 1
    owner: ClassVar[str] = "definitions"
    slug: str
    revision: int = Field(ge=1, description="Of a draft: its `edit`.")
    service: str = Field(description="A room, or `engine.drafts` for its copy of a draft.")
