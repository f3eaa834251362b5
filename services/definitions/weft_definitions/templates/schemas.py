"""HTTP bodies and views of templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from weft_language import Finding
from weft_language.model.part import ID_PATTERN, SLUG_PATTERN
from weft_runtime.http import Body

from weft_definitions.schemas import FindingView, VersionNumber, WorkflowView, finding
from weft_definitions.templates import Content, Listed, Point, Template

Slug = Annotated[str, Field(pattern=SLUG_PATTERN, max_length=100)]
Note = Annotated[str, Field(max_length=2000)]
Tenant = Annotated[str, Field(min_length=1, max_length=100)]


class PointBody(Body):
    """Where AI may do better than a node's own work. enhance: as a node has it, without `min_tier`."""

    id: Annotated[str, Field(pattern=ID_PATTERN)]
    node: Annotated[str, Field(pattern=ID_PATTERN)]
    title: Annotated[str, Field(min_length=1, max_length=255)]
    description: Annotated[str, Field(max_length=2000)] = ""
    min_tier: Annotated[str, Field(min_length=1, max_length=100)] = "premium"
    enhance: dict[str, Any]
    default: bool = Field(default=True, description="On, unless whoever makes a workflow chooses otherwise.")


class ContentBody(Body):
    """What a template says."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    description: Annotated[str, Field(max_length=10_000)] = ""
    category: Annotated[str, Field(max_length=100)] = ""
    labels: dict[Annotated[str, Field(min_length=1, max_length=128)], Annotated[str, Field(max_length=1000)]] = Field(
        default_factory=dict, max_length=100
    )
    parameters: dict[str, Any] = Field(
        default_factory=lambda: {"type": "object", "properties": {}}, description="JSON Schema 2020-12 of an object."
    )
    definition: dict[str, Any] = Field(description="weft/v1, with placeholders `${parameters.name}`.")
    example: dict[str, Any] = Field(default_factory=dict, description="Parameters that fit, by which the template is verified.")
    enhancements: list[PointBody] = Field(default_factory=list, max_length=100)
    shared_with: list[Tenant] | None = Field(default=None, max_length=1000, description='Tenants, or "*" for all; by operators.')
    note: Note | None = None

    def content(self, slug: str) -> Content:
        """The template that it says, under a slug."""
        points = tuple(
            Point(one.id, one.node, one.title, one.description, one.min_tier, one.enhance, one.default) for one in self.enhancements
        )
        return Content(
            slug, self.name, self.description, self.category, self.labels, self.parameters, self.definition, self.example, points
        )


class TemplateBody(ContentBody):
    """A new template."""

    slug: Slug


class InstantiateBody(Body):
    """What a workflow is to be made of.

    name: instead of the definition's.  slug: instead of that of its name.  version: the newest when absent.
    enhancements: ids of points; the usual ones that the tenant's tier reaches when absent.
    existing: what becomes of a workflow that has the slug: 409, or a new version, for which parameters left out are those it was made by.
    """

    parameters: dict[str, Any] = Field(default_factory=dict)
    name: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    slug: Slug | None = None
    version: VersionNumber | None = None
    enhancements: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=100)] | None = None
    existing: Literal["refuse", "version"] = "refuse"


class PointView(BaseModel):
    """An enhancement of a template. available: for the asker's tier."""

    id: str
    node: str
    title: str
    description: str
    min_tier: str
    enhance: dict[str, Any]
    default: bool
    available: bool


class TemplateSummary(BaseModel):
    """A template in a list. source: `own`, `shared` by operators, or `builtin`."""

    slug: str
    name: str
    description: str
    category: str
    labels: dict[str, str]
    source: str
    version: int
    created_by: str
    created_at: datetime | None
    updated_at: datetime | None


class TemplateView(TemplateSummary):
    """A template with one of its versions. shared_with: shown to its own tenant alone.  findings: after it was written."""

    latest_version: int
    note: str | None
    parameters: dict[str, Any]
    definition: dict[str, Any]
    example: dict[str, Any]
    enhancements: list[PointView]
    shared_with: list[str] | None
    etag: str
    findings: list[FindingView] = []


class TemplateVersion(BaseModel):
    """A version of a template in a list."""

    version: int
    note: str | None
    created_by: str
    created_at: datetime | None


class MadeOf(BaseModel):
    """Which template a workflow was made of."""

    slug: str
    version: int
    source: str
    enhancements: list[str]


class InstantiatedView(WorkflowView):
    """A workflow that was made of a template, a draft with its findings."""

    template: MadeOf


def summary(template: Listed) -> TemplateSummary:
    """A template as lists show it."""
    return TemplateSummary(**asdict(template))


def view(template: Template, tier: str | None, findings: Sequence[Finding] = ()) -> TemplateView:
    """A template as it is shown to a tenant of a tier."""
    content = template.content
    return TemplateView(
        **asdict(template.listed),
        latest_version=template.latest,
        note=template.note,
        parameters=dict(content.parameters),
        definition=dict(content.definition),
        example=dict(content.example),
        enhancements=[_point(point, tier) for point in content.points],
        shared_with=list(template.shared_with) if template.source == "own" else None,
        etag=template.etag,
        findings=[finding(found) for found in findings],
    )


def _point(point: Point, tier: str | None) -> PointView:
    return PointView(
        id=point.id,
        node=point.node,
        title=point.title,
        description=point.description,
        min_tier=point.min_tier,
        enhance=dict(point.enhance),
        default=point.usual,
        available=point.is_for(tier),
    )
