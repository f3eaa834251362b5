"""What each node type has to do, compiled: the payload of `Node.work`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from weft_language.compilation.correlating import EventWait
from weft_language.compilation.moments import DelayValue, DueValue, TimeValue
from weft_language.expressions import Expression, Template
from weft_language.json_schemas import SchemaCheck


@dataclass(frozen=True, slots=True)
class SetWork:
    """`set`: write each variable, in listed order. All values are rendered before the first is written."""

    values: tuple[tuple[str, Template], ...]


@dataclass(frozen=True, slots=True)
class TransformWork:
    """`transform`: one of the two is given. `map` renders to an object."""

    expression: Expression | None = None
    map: Template | None = None


@dataclass(frozen=True, slots=True)
class IfWork:
    """`if`: outcome `true` or `false`. `conditions` given as data are compiled to the same."""

    condition: Expression


@dataclass(frozen=True, slots=True)
class SwitchCase:
    """One case of a `switch`."""

    when: Expression
    outcome: str


@dataclass(frozen=True, slots=True)
class SwitchWork:
    """`switch`: the outcome of the first case that holds, else `default` (`done` where the author gave none)."""

    cases: tuple[SwitchCase, ...]
    default: str = "done"


@dataclass(frozen=True, slots=True)
class GroupWork:
    """`group`: run the graph with this id; its last output is the group's."""

    graph: str


@dataclass(frozen=True, slots=True)
class ParallelWork:
    """`parallel`: graph ids by branch name, in listed order. needed: branches that must complete, 1 or more.

    fail_fast: whether the first error of a branch ends the others.
    """

    branches: Mapping[str, str]
    needed: int
    fail_fast: bool = True


@dataclass(frozen=True, slots=True)
class ForeachWork:
    """`foreach`: run the graph once per item. items renders to a list, concurrency to a whole number from 1.

    as_: the name an iteration reads its item by.  fail_fast: whether the first error ends the others; else `null` stands for it.
    """

    graph: str
    items: Template
    concurrency: Template
    as_: str = "item"
    fail_fast: bool = True
    max_items: int = 10_000


@dataclass(frozen=True, slots=True)
class LoopWork:
    """`loop`: run the graph again and again; one of the two conditions is given."""

    graph: str
    while_: Expression | None = None
    until: Expression | None = None
    max_iterations: int = 1_000


@dataclass(frozen=True, slots=True)
class CallWork:
    """`call`: run another workflow. version renders to a whole number from 1; None is the active one.  wait: for its end."""

    workflow: Template
    version: Template | None = None
    input: Template | None = None
    wait: bool = True


@dataclass(frozen=True, slots=True)
class CompensateWork:
    """`compensate`: undo completed nodes. nodes: only these may be undone; None is without limit."""

    nodes: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class WaitWork:
    """`wait`: one of the first two is given. calendar: renders to the name of a business calendar."""

    delay: DelayValue | None = None
    until: TimeValue | None = None
    calendar: Template | None = None


@dataclass(frozen=True, slots=True)
class StateWork:
    """`state`: rests until a signal of one of these names comes (checked by its schema), an event matches, or the first `after` is over."""

    signals: Mapping[str, SchemaCheck | None]
    after: tuple[tuple[str, DelayValue], ...] = ()
    events: Mapping[str, EventWait] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ApprovalsWork:
    """How many decisions a task takes: `required` of `of` for its first outcome. distinct: each person decides once."""

    required: int
    of: int
    distinct: bool = True


@dataclass(frozen=True, slots=True)
class RungWork:
    """A step of a task's ladder. after: since the task was asked for.  to: renders to a text (one person) or to candidates."""

    after: DelayValue
    do: Literal["remind", "reassign", "escalate", "decide", "fail"]
    to: Template | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class TaskWork:
    """`task`: what the tasks service is asked to do. `form` renders to a JSON Schema; `form_check` only where it is constant.

    expires_at_due: the node has an edge on `timeout`, and neither a `timeout` nor an `on_timeout` of its own, so passing `due` ends it
    with that outcome; otherwise `due` only makes the task overdue, and `Node.timeout_s` or the ladder is what ends it.
    separate_from: nodes whose completers may not act on it.  reminders: before `due`.  ladder: as listed.
    """

    title: Template
    outcomes: tuple[str, ...] = ("completed",)
    description: Template | None = None
    form: Template | None = None
    form_check: SchemaCheck | None = None
    ui: Template | None = None
    data: Template | None = None
    assignee: Template | None = None
    candidates: Template | None = None
    due: DueValue | None = None
    priority: Template | None = None
    expires_at_due: bool = False
    approvals: ApprovalsWork | None = None
    separate_from: tuple[str, ...] = ()
    reminders: tuple[DelayValue, ...] = ()
    ladder: tuple[RungWork, ...] = ()


@dataclass(frozen=True, slots=True)
class PublishWork:
    """`publish`: a domain event to say."""

    type: Template
    data: Template | None = None
    subject: Template | None = None


@dataclass(frozen=True, slots=True)
class FailWork:
    """`fail`: the error that its scope fails with."""

    code: Template
    message: Template


@dataclass(frozen=True, slots=True)
class EndWork:
    """`end`: ends the whole execution. Without `output` the definition's own `output` is rendered."""

    output: Template | None = None
    status: Literal["completed", "failed"] = "completed"


@dataclass(frozen=True, slots=True)
class ActivityWork:
    """`activity`: work of a tenant's own worker. Without `queue` it goes to the tenant's default one."""

    name: Template
    input: Template | None = None
    queue: Template | None = None


@dataclass(frozen=True, slots=True)
class ConnectorWork:
    """A connector's action, such as `http.request`. `with_` renders to the object its schema describes.

    connection: the name of the one that it goes by, None where there is none.  room: the service that does it, None where a worker does.
    """

    type: str
    with_: Template
    connection: str | None = None
    room: str | None = None


Work = (
    SetWork
    | TransformWork
    | IfWork
    | SwitchWork
    | GroupWork
    | ParallelWork
    | ForeachWork
    | LoopWork
    | CallWork
    | CompensateWork
    | WaitWork
    | StateWork
    | TaskWork
    | PublishWork
    | FailWork
    | EndWork
    | ActivityWork
    | ConnectorWork
)
