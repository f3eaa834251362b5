"""The program: a definition compiled to what the engine reads on its hot path. Plain data, immutable, no pydantic."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from weft_language.compilation.calendars import NO_CALENDARS, CalendarUse
from weft_language.compilation.enhancing import EnhanceWork
from weft_language.compilation.retrying import RetryPolicy
from weft_language.compilation.triggers import Trigger
from weft_language.compilation.work import ActivityWork, ConnectorWork, Work
from weft_language.expressions import Expression, Template
from weft_language.json_schemas import SchemaCheck
from weft_language.model.definition import DEFAULT_PRIORITY as DEFAULT_PRIORITY

NodeKind = Literal["control", "scope", "waiting", "task", "activity", "ending"]
ROOT: Final = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from a node to another of the same graph. `when.text` is the guard as written."""

    to: str
    when: Expression | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A node ready to run.

    kind: `control` runs at once; `scope` runs its graph; `waiting` rests (wait, state); `task` is for a person; `activity` is
    outside work by a worker; `ending` has no way on (fail, end).
    graph: id of the graph it stands in.  frame: id of the nearest graph around it that is the root, a branch or a body.
    timeout_s: seconds, above 0; None is without limit.
    edges: by outcome, in listed order. Listed-order graphs have their edges made explicit.
    undo: what undoes it once it has completed, None where nothing does.  enhance: what a model is asked for it, None where nothing is.
    """

    id: str
    type: str
    kind: NodeKind
    graph: str
    name: str
    work: Work
    retry: RetryPolicy
    timeout_s: float | None
    edges: Mapping[str, tuple[Edge, ...]]
    frame: str = ROOT
    undo: ActivityWork | ConnectorWork | None = None
    enhance: EnhanceWork | None = None


@dataclass(frozen=True, slots=True)
class Graph:
    """One scope. id: "" for the root, `<node>/<branch>` for a branch, else the id of the node it belongs to: its `parent_node`."""

    id: str
    start: str
    nodes: tuple[str, ...]
    parent_node: str | None = None


@dataclass(frozen=True, slots=True)
class ConcurrencyRule:
    """How many executions with the same key live at once, and what a further one does. key renders to a text; None is one key for all."""

    limit: int
    key: Template | None = None
    on_conflict: Literal["queue", "skip", "cancel_running"] = "queue"


@dataclass(frozen=True, slots=True)
class ProgramSettings:
    """Settings with their defaults filled in. Times in seconds; None is without limit.

    compensates: whether an execution that fails undoes its completed nodes first.
    """

    max_duration_s: float | None = None
    signal_ttl_s: float = 7 * 86_400.0
    priority: int = DEFAULT_PRIORITY
    retention_days: int | None = None
    concurrency: ConcurrencyRule | None = None
    compensates: bool = False


@dataclass(frozen=True, slots=True)
class Sla:
    """When an execution is late. due_s: seconds from its start, of working time where a `calendar` is named.  warn_at: fraction, 0..1."""

    due_s: float
    warn_at: float = 0.8
    calendar: str | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """A published definition, ready to run.

    input: checks what an execution is started with.  vars: rendered once at the start, in order.  output: renders to an object when
    the root scope ends; None where the author gave none.  scopes: graphs by id.  nodes: by id, over all scopes.
    signals: every name that some `state` knows.  definition: the document as published.  reads_tenant: whether anything in it may read
    `tenant`.  names_queues: whether an activity in it may name one.  calendars: what it reads of them.
    """

    slug: str
    version: int
    name: str
    labels: Mapping[str, str]
    input: SchemaCheck
    vars: Mapping[str, Template]
    output: Template | None
    scopes: Mapping[str, Graph]
    nodes: Mapping[str, Node]
    settings: ProgramSettings
    sla: Sla | None
    signals: frozenset[str]
    triggers: tuple[Trigger, ...]
    definition: Mapping[str, Any]
    reads_tenant: bool = False
    names_queues: bool = False
    calendars: CalendarUse = NO_CALENDARS
