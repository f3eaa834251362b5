"""Templates: definitions with parameters, of which workflows are made; their versions, and with whom they are shared. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from weft_language.tiers import reaches
from weft_runtime.auth import Caller, Permission
from weft_runtime.errors import Forbidden

from weft_definitions.errors import EditedSince

EVERYBODY: Final = "*"
MOST: Final = 500
"""Templates of a tenant: a list shows all that there are."""
Source = Literal["own", "shared", "builtin"]


@dataclass(frozen=True, slots=True)
class Point:
    """Where AI may do better than a node's own work, if whoever makes a workflow of the template wants it.

    node: of the definition.  enhance: as a node has it, without `min_tier`, which is beside it here.  usual: on, unless it is left out.
    """

    id: str
    node: str
    title: str
    description: str
    min_tier: str
    enhance: Mapping[str, Any]
    usual: bool

    def is_for(self, tier: str | None) -> bool:
        """Whether a tenant of this tier may have it."""
        return reaches(tier, self.min_tier)


@dataclass(frozen=True, slots=True)
class Content:
    """What an author wrote. parameters: a JSON Schema, of an object.  definition: with placeholders.  example: parameters that fit."""

    slug: str
    name: str
    description: str
    category: str
    labels: Mapping[str, str]
    parameters: Mapping[str, Any]
    definition: Mapping[str, Any]
    example: Mapping[str, Any]
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """A template as lists and searches know it: what its newest version says of itself."""

    slug: str
    name: str
    description: str
    category: str
    labels: Mapping[str, str]
    source: Source
    version: int
    created_by: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """A template with one of its versions.

    version: the one that is shown.  latest: the newest.  edit: counts every change; the resource's ETag.
    shared_with: tenants besides its own, or everybody.  created_at: of the template, None of those that come with the release.
    """

    content: Content
    source: Source
    version: int
    latest: int
    edit: int
    shared_with: tuple[str, ...] = ()
    note: str | None = None
    created_by: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def slug(self) -> str:
        """Unique among those of a tenant."""
        return self.content.slug

    @property
    def listed(self) -> Listed:
        """What lists show of it."""
        content, made = self.content, (self.created_by, self.created_at, self.updated_at)
        return Listed(content.slug, content.name, content.description, content.category, content.labels, self.source, self.version, *made)

    @property
    def etag(self) -> str:
        """The entity tag of this state, without its quotes."""
        return str(self.edit)


def create(content: Content, shared_with: Sequence[str], note: str | None, by: str, now: datetime) -> Template:
    """A new template with version 1."""
    return Template(content, "own", 1, 1, 1, tuple(shared_with), note, by, now, now)


def revise(was: Template, content: Content, shared_with: Sequence[str] | None, note: str | None, now: datetime) -> Template:
    """The template with a new version, or only shared otherwise where its content is the same. shared_with: as it was when None."""
    shared = was.shared_with if shared_with is None else tuple(shared_with)
    if content == was.content:
        return was if shared == was.shared_with else replace(was, shared_with=shared, edit=was.edit + 1, updated_at=now)
    number = was.latest + 1
    return replace(was, content=content, version=number, latest=number, edit=was.edit + 1, shared_with=shared, note=note, updated_at=now)


def require_match(template: Template, etag: str | None) -> None:
    """Refuse a change made to another state than the present one. etag: of the state that was read, None for any. Raises: EditedSince."""
    if etag is not None and etag != template.etag:
        raise EditedSince(f"template {template.slug} was changed since you read it (its ETag is now {template.etag!r}); read it again")


def require_sharing(shared_with: Sequence[str] | None, was: Sequence[str], caller: Caller | None) -> None:
    """Refuse sharing to whoever is no operator of the installation. was: with whom it is shared by now. Raises: Forbidden."""
    changed = shared_with is not None and set(shared_with) != set(was)
    if changed and (caller is None or not caller.may(Permission.TENANTS_MANAGE)):
        raise Forbidden(f"sharing a template with other tenants needs the permission {Permission.TENANTS_MANAGE}; leave `shared_with` out")


def visible(own: Sequence[Listed], shared: Sequence[Listed], builtin: Sequence[Listed]) -> list[Listed]:
    """What a tenant sees, by slug: of several with one slug its own, else what is shared with it, else what comes with the release."""
    found = {template.slug: template for group in (builtin, reversed(shared), own) for template in group}
    return [found[slug] for slug in sorted(found)]


def fits(template: Listed, text: str | None, category: str | None, labels: Mapping[str, str | None], source: str | None) -> bool:
    """Whether a search finds a template. text: a part of its slug, name, description or category, whatever its case."""
    said = "\n".join((template.slug, template.name, template.description, template.category)).casefold()
    return (
        (text is None or text.casefold() in said)
        and category in (None, template.category)
        and source in (None, template.source)
        and all(name in template.labels and value in (None, template.labels[name]) for name, value in labels.items())
    )
