"""The whole document of `weft/v1`."""

import hashlib
import re
import unicodedata
from typing import Annotated, Any, Final, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from weft_language.model.edge import Edge
from weft_language.model.node import Node
from weft_language.model.part import Identifier, Int, Name, Number, Part, PositiveDuration, Schema, ShortText, Slug, Text, Values
from weft_language.model.triggers import AnyTrigger

FORMAT: Final = "weft/v1"
MAX_NODES: Final = 1000
MAX_EDGES: Final = 5000
RESERVED_SLUGS: Final = frozenset({"executions", "events", "analytics", "rules", "templates", "validate", "import"})

DEFAULT_PRIORITY: Final = 5
"""`settings.priority` where it is not written."""


class Sla(Part):
    """When an execution is late."""

    due: PositiveDuration
    warn_at: Number = Field(default=0.8, ge=0, le=1, description="Fraction of `due` after which it is at risk.")
    calendar: ShortText | None = Field(default=None, description="A business calendar's name; only its working time counts then.")


class Concurrency(Part):
    """How many executions with the same key may live at once."""

    key: Text | None = Field(default=None, description="A template; all executions of the workflow when absent.")
    limit: Int = Field(default=1, ge=1, le=10_000)
    on_conflict: Literal["queue", "skip", "cancel_running"] = "queue"


class Settings(Part):
    """How executions of the workflow are run and kept."""

    max_duration: PositiveDuration | None = None
    concurrency: Concurrency | None = None
    retention_days: Annotated[Int, Field(ge=1, le=36_500)] | None = None
    signal_ttl: PositiveDuration = "7d"
    priority: Annotated[Int, Field(ge=0, le=9)] = DEFAULT_PRIORITY
    on_failure: Literal["fail", "compensate"] = "fail"


class Definition(Part):
    """A workflow definition: a graph of nodes and what starts it. Immutable; `to_document` gives the JSON again."""

    format: Literal["weft/v1"]
    name: ShortText
    slug: Slug = Field(default_factory=lambda given: slug_of(given.get("name", "unnamed")))
    description: Text | None = None
    labels: dict[Name, Text] = Field(default_factory=dict, max_length=100)
    input: Schema | None = Field(default=None, description="JSON Schema 2020-12 of the input; any object when absent.")
    output: Values = Field(default_factory=dict, description="The execution's result.")
    vars: Values = Field(default_factory=dict, description="Initial variables.")
    triggers: tuple[AnyTrigger, ...] = Field(default=(), max_length=100)
    nodes: tuple[Node, ...] = Field(min_length=1, max_length=MAX_NODES)
    edges: tuple[Edge, ...] = Field(default=(), max_length=MAX_EDGES, description="Without any, the nodes run in listed order.")
    start: Identifier | None = Field(default=None, description="The first node, unless another is named.")
    sla: Sla | None = None
    settings: Settings = Field(default_factory=Settings)

    @field_validator("slug")
    @classmethod
    def _not_reserved(cls, value: str) -> str:
        if value in RESERVED_SLUGS:
            raise PydanticCustomError("slug_reserved", "the slug is reserved")
        return value


def slug_of(name: str) -> str:
    """The slug a name gives: its letters and digits in ASCII, joined by dashes, at most 100; never a reserved one."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain)[:100].strip("-")
    if not slug:
        slug = "workflow-" + hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{slug}-workflow" if slug in RESERVED_SLUGS else slug


def to_document(definition: Definition) -> dict[str, Any]:
    """The JSON document of a definition, as the author wrote it, with the slug filled in."""
    document: dict[str, Any] = definition.model_dump(mode="json", by_alias=True, exclude_unset=True)
    document["slug"] = definition.slug
    return document
