"""Triggers, compiled: what the events service matches arriving things against."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from weft_language.expressions import (
    Expression,
    ExpressionError,
    Template,
    compile_conditions,
    compile_expression,
    compile_template,
    join_all,
)
from weft_language.json_schemas import SchemaCheck
from weft_language.model.triggers import (
    AnyTrigger,
    EmailTrigger,
    EventTrigger,
    ManualTrigger,
    RecordTrigger,
    ScheduleTrigger,
    WebhookTrigger,
    timetable_of,
)
from weft_language.records import fields_conditions
from weft_language.timetable import CatchUp, Timetable

FIRST_PRIORITY: Final = 100
"""Where a trigger stands among those that are considered for an event, unless it says so: smaller first."""
MAX_KEY: Final = 500
"""Characters of a start's key."""


@dataclass(frozen=True, slots=True)
class Hook:
    """How a `webhook` trigger is called.

    path: behind `/hooks/<tenant>/`.  methods: of HTTP.  signature: the scheme, or `none`.  connection: the name of that with the secret.
    """

    path: str
    methods: tuple[str, ...]
    signature: str
    connection: str | None


@dataclass(frozen=True, slots=True)
class Rows:
    """Which changes of rows a `record` trigger is for.

    table: as its source calls it.  operations: `create`, `update`, `delete`.  changed: one of these fields has to; any change will do
    where there are none.
    """

    table: str
    operations: frozenset[str]
    changed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Trigger:
    """One way an execution starts.

    id: as authored, else `trigger_<n>` by its place from 1.  pattern: the event type or glob of an `event` trigger, else None.
    exact: the pattern has no wildcard, so it can be looked up.  source: exact CloudEvents source or glob, None for any.
    when: `when`, `fields` and `conditions` together, over `trigger` and `tenant`.  input: renders to the execution's input; None means
    the event's data is the input.  key: renders to the key of which at most one execution lives.  correlates: what comes for a key that
    lives goes to that execution.  priority: smaller first.
    form: for `manual`, the form's schema check.  timetable, catch_up: for `schedule`, when it is due and what happens to times missed.
    hook: for `webhook`, how it is called.  rows: for `record`, which changes it is for.
    address: for `email`, the address or glob that it listens to, in lower case.
    """

    id: str
    on: str
    pattern: str | None = None
    exact: bool = True
    source: str | None = None
    when: Expression | None = None
    input: Template | None = None
    key: Template | None = None
    correlates: bool = False
    priority: int = FIRST_PRIORITY
    enabled: bool = True
    form: SchemaCheck | None = None
    timetable: Timetable | None = None
    catch_up: CatchUp = "skip"
    hook: Hook | None = None
    rows: Rows | None = None
    address: str | None = None

    def matches(self, event_type: str, source: str | None = None) -> bool:
        """Whether an event of this type (and source, where given) is one for this trigger; conditions aside."""
        if self.pattern is None or not self.enabled:
            return False
        if self.source is not None and source is not None and not glob_matches(self.source, source):
            return False
        return self.pattern == event_type if self.exact else glob_matches(self.pattern, event_type)

    def key_of(self, names: Mapping[str, Any]) -> str | None:
        """The key that a start is held to, None where it has none. names: what the template reads.

        Raises: ExpressionError, also for a key that is too long.
        """
        value = None if self.key is None else self.key.render(names)
        if value is None or value == "":
            return None
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        if len(text) > MAX_KEY:
            raise ExpressionError("expression_limit", f"the key has {len(text)} characters; at most {MAX_KEY} are allowed")
        return text


MANUAL: Final = Trigger(id="manual", on="manual")
"""The one that exists where none is written."""


def compile_triggers(triggers: tuple[AnyTrigger, ...]) -> tuple[Trigger, ...]:
    """Compile triggers in their order; the manual trigger that always exists is added where none is written.

    Raises: ExpressionError, InvalidSchema.
    """
    compiled = tuple(_compile(trigger, place) for place, trigger in enumerate(triggers, 1))
    return compiled if any(trigger.on == "manual" for trigger in compiled) else (*compiled, MANUAL)


def _compile(trigger: AnyTrigger, place: int) -> Trigger:
    pattern = trigger.event if isinstance(trigger, EventTrigger) else None
    correlate = trigger.correlate if isinstance(trigger, EventTrigger) else None
    key = trigger.key if correlate is None else correlate
    form = trigger.form if isinstance(trigger, ManualTrigger) else None
    return Trigger(
        id=trigger.id or f"trigger_{place}",
        on=trigger.on,
        pattern=pattern,
        exact=pattern is None or not is_glob(pattern),
        source=trigger.source if isinstance(trigger, EventTrigger) else None,
        when=_condition(trigger),
        input=None if trigger.input is None else compile_template(trigger.input),
        key=None if key is None else compile_template(key),
        correlates=correlate is not None,
        priority=trigger.priority,
        enabled=trigger.enabled,
        form=None if form is None else SchemaCheck(form),
        timetable=timetable_of(trigger) if isinstance(trigger, ScheduleTrigger) else None,
        catch_up=trigger.catch_up if isinstance(trigger, ScheduleTrigger) else "skip",
        hook=_hook(trigger) if isinstance(trigger, WebhookTrigger) else None,
        rows=_rows(trigger) if isinstance(trigger, RecordTrigger) else None,
        address=trigger.address.lower() if isinstance(trigger, EmailTrigger) else None,
    )


def _hook(trigger: WebhookTrigger) -> Hook:
    return Hook(trigger.path.removeprefix("/"), trigger.methods, trigger.signature, trigger.connection)


def _rows(trigger: RecordTrigger) -> Rows:
    operations = (trigger.operation,) if isinstance(trigger.operation, str) else trigger.operation
    return Rows(trigger.table, frozenset(operations), frozenset(trigger.changed))


def _condition(trigger: AnyTrigger) -> Expression | None:
    parts = [] if trigger.when is None else [compile_expression(trigger.when)]
    if isinstance(trigger, RecordTrigger) and trigger.fields:
        parts.append(compile_conditions(fields_conditions(trigger.fields)))
    if trigger.conditions is not None:
        parts.append(compile_conditions(trigger.conditions))
    return join_all(parts)


def is_glob(pattern: str) -> bool:
    """Whether a pattern has a wildcard: `*` is any run of characters, dots too; `?` is any one."""
    return "*" in pattern or "?" in pattern


def glob_matches(pattern: str, text: str) -> bool:
    """Whether a glob covers the whole text, in time of their product at most (no regular expression, no blow-up)."""
    at = place = mark = 0
    star = -1
    while at < len(text):
        if place < len(pattern) and pattern[place] == "*":
            star, mark = place, at
            place += 1
        elif place < len(pattern) and pattern[place] in (text[at], "?"):
            at += 1
            place += 1
        elif star >= 0:
            mark += 1
            at, place = mark, star + 1
        else:
            return False
    return all(character == "*" for character in pattern[place:])
