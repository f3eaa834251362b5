"""`with` of a `task`: work for a person."""

from typing import Annotated, Any, Literal

from pydantic import Field

from weft_language.model.part import Bool, DueTemplate, DurationTemplate, Identifier, Int, Outcome, Part, Schema, TemplateText, Text

People = tuple[Text, ...] | TemplateText


class Candidates(Part):
    """Who may take a task: any of these users, groups or roles."""

    users: People = ()
    groups: People = ()
    roles: People = ()


class Approvals(Part):
    """How many decisions a task takes: its first outcome stands once `required` people chose it, of `of` (as many when absent).

    Once that cannot be reached any more, what was chosen most of the others stands. Each person decides once unless `distinct` is false.
    """

    required: Int = Field(ge=1, le=100)
    of: Annotated[Int, Field(ge=1, le=100)] | None = None
    distinct: Bool = True


class TimeoutStep(Part):
    """One rung of the ladder: what happens when a task has waited this long. Rungs come in the order of `after`.

    remind: only says so.  reassign: gives it to `to`, from whoever has it.  escalate: lets `to` act, too.  decide: completes it with
    `outcome`, by nobody.  fail: ends it as the node's `timeout` does.
    """

    after: DurationTemplate
    do: Literal["remind", "reassign", "escalate", "decide", "fail"]
    to: Candidates | Text | None = None
    outcome: Outcome | None = None


class TaskWith(Part):
    """`task`: shown to its assignee or candidates until one of them decides."""

    title: Text | None = Field(default=None, description="What to do, in one line; the node's name when absent.")
    description: Text | None = None
    form: Schema | None = Field(default=None, description="JSON Schema of what the person fills in.")
    ui: Any = Field(default=None, description="Layout hints for the form.")
    data: Any = Field(default=None, description="Shown with the task, not editable.")
    assignee: Text | None = Field(default=None, description="One person's id or email.")
    candidates: Candidates | TemplateText | None = None
    due: DueTemplate | None = Field(default=None, description="A duration from its creation, or a time.")
    priority: Annotated[Int, Field(ge=0, le=9)] | TemplateText | None = None
    outcomes: tuple[Outcome, ...] = Field(default=("completed",), min_length=1, max_length=50)
    approvals: Approvals | None = None
    separate_from: tuple[Identifier, ...] = Field(default=(), description="Tasks: who completed the newest visit of one may not act here.")
    reminders: tuple[DurationTemplate, ...] = Field(default=(), max_length=20)
    on_timeout: tuple[TimeoutStep, ...] = Field(default=(), max_length=20)
