"""HTTP bodies and views of sources."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError
from weft_language.model.part import CONNECTION_PATTERN
from weft_runtime.http import Body

from weft_events import records
from weft_events.records import Bounds, Source, Watched
from weft_events.records.sources import MOST_TABLES

NAME: Final = r"^[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,98}[A-Za-z0-9_])?$"
"""Names of sources, and of tables as triggers call them: letters, digits and `_`, with `.` and `-` between."""
_PLAIN: Final = re.compile(r"(?:([A-Za-z_][A-Za-z0-9_$]*)\.)?([A-Za-z_][A-Za-z0-9_$]*)\Z")
_IDENTIFIER: Final = r"^[^\x00]{1,63}$"
_LATER: Final = ("mailbox", "broker")


def _kind(text: str) -> str:
    if text in _LATER:
        message = "sources of kind {kind} are not watched by this release; what reads them can send events to POST /api/v1/events"
        raise PydanticCustomError("kind_not_supported", message, {"kind": text})
    if text != "postgres":
        raise PydanticCustomError("not_allowed", "the kind is postgres: a database of which tables are watched")
    return text


class TableBody(Body):
    """A table that is watched, as its database has it: nothing is folded to lower case. name: what triggers call it."""

    table: str = Field(pattern=_IDENTIFIER)
    schema_: str = Field(default="public", alias="schema", pattern=_IDENTIFIER)
    name: str | None = Field(default=None, pattern=NAME)

    def watched(self) -> Watched:
        """It as it is kept."""
        usual = self.table if self.schema_ == "public" else f"{self.schema_}.{self.table}"
        return Watched(self.name or usual, self.schema_, self.table)

    @model_validator(mode="after")
    def _has_a_name(self) -> TableBody:
        if not re.match(NAME, self.watched().name):
            message = "a table of this name needs a `name` that triggers can call it by: letters, digits, `_`, with `.` and `-` between"
            raise PydanticCustomError("needs_a_name", message)
        return self


def _table(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    found = _PLAIN.match(given)
    if found is None:
        message = "write a table as orders or sales.orders; one of another name as an object, {example}"
        raise PydanticCustomError(
            "wrong_format", message, {"example": '{"schema": "sales", "table": "Order lines", "name": "order_lines"}'}
        )
    return {"schema": found[1] or "public", "table": found[2]}


def _apart(tables: list[TableBody]) -> list[TableBody]:
    for what in (lambda one: (one.schema, one.table), lambda one: one.name):
        seen = [what(one.watched()) for one in tables]
        if len(set(seen)) < len(seen):
            raise PydanticCustomError("not_unique", "each table is named once, and each has a name of its own")
    return tables


class TableGiven(TableBody):
    """A table, as its name alone or in full."""

    @model_validator(mode="before")
    @classmethod
    def _of_text(cls, given: Any) -> Any:
        return _table(given)


_SHOWN: Final = {
    "anyOf": [
        {"type": "string", "pattern": _PLAIN.pattern.replace("\\Z", "$").replace("(?:", "^(?:", 1)},
        {
            "type": "object",
            "required": ["table"],
            "properties": {
                "table": {"type": "string"},
                "schema": {"type": "string", "default": "public"},
                "name": {"type": "string", "pattern": NAME},
            },
            "additionalProperties": False,
        },
    ],
    "description": "A table: `orders`, `sales.lines`, or in full, with the name that triggers call it by.",
}
Tables = Annotated[list[Annotated[TableGiven, WithJsonSchema(_SHOWN)]], Field(min_length=1, max_length=MOST_TABLES), AfterValidator(_apart)]
Connection = Annotated[
    str, Field(max_length=100, pattern=CONNECTION_PATTERN, description="The connection of type postgres to reach it by.")
]
Wake = Literal["notify", "poll"]


class SourceBody(Body):
    """A source as it is asked for.

    wake: `notify` lets the database say at each commit that something changed; with `poll` it is looked for every few seconds, for
    databases whose commits must not meet a lock of NOTIFY, or that use two-phase commits.
    """

    name: str = Field(pattern=NAME, description="It cannot be changed.")
    kind: Annotated[str, AfterValidator(_kind)] = "postgres"
    connection: Connection
    tables: Tables
    wake: Wake = "notify"


class SourceChangeBody(Body):
    """A source as it is to be."""

    connection: Connection
    tables: Tables
    wake: Wake = "notify"


class TableView(BaseModel):
    """A table that is watched."""

    name: str
    schema_: str = Field(serialization_alias="schema")
    table: str


class SourceErrorView(BaseModel):
    """Why a source cannot be read."""

    code: str
    message: str
    at: datetime | None


class SourceSummary(BaseModel):
    """A source in a list."""

    id: UUID
    name: str
    kind: str
    connection: str
    state: Literal["created", "suspended", "starting", "watching", "changed", "degraded", "failing", "removing"]
    healthy: bool = Field(description="Every change of its tables comes in.")
    lag_s: float = Field(description="Age of the oldest change that is not in the log yet, s, when it was last looked at.")
    behind: bool = Field(description="Its changes wait for long, or its outbox is large: `advice` of the source says what to do.")
    outdated: bool = Field(description="An earlier release put capture into its database: install it again.")
    last_change_at: datetime | None
    created_at: datetime
    updated_at: datetime


class SourceView(SourceSummary):
    """A source, whole.

    state: `created` until it is installed; `suspended` while its connection is: nothing is read, and all comes after that; `failing`
    where it cannot be read, for the `last_error`; `changed` where its tables are others since; `degraded` where a table is not captured
    any more (`missing`), or changes were refused.
    """

    tables: list[TableView]
    wake: Wake
    installed: bool
    installed_at: datetime | None
    reading: bool = Field(description="A process reads it now.")
    pending: int = Field(description="Changes that wait, when it was last looked at; 10,000 for that many or more.")
    outbox_bytes: int = Field(description="Of its outbox on the disk of its database, when it was last measured.")
    capture_version: int | None = Field(description="Of what is in its database; null where there is none, or nobody has looked.")
    advice: list[str] = Field(description="What to do about it, in sentences; none where all is well.")
    looked_at: datetime | None
    suspended_since: datetime | None = Field(description="Since when its connection is suspended: DELETE /suspensions/{id} lets it go on.")
    last_error: SourceErrorView | None
    next_try_at: datetime | None
    missing: list[str]
    changes: int = Field(description="In the log, ever.")
    passed_over: int = Field(description="Changes that the settings of their table did not count, ever.")
    refused: int = Field(description="Changes that could not be taken in; they are tried again when it is installed again.")
    last_event: UUID | None = Field(description="The newest change in the log: GET /events/{id}.")
    version: int
    created_by: str | None


class InstallView(SourceView):
    """A source with what was run in its database, or is to be: nothing where capture is in place."""

    dry_run: bool
    sql: str


def watched(tables: list[TableGiven]) -> list[Watched]:
    """Tables as they are kept."""
    return [one.watched() for one in tables]


def source_summary(one: Source, bounds: Bounds, now: datetime) -> SourceSummary:
    """A source in a list."""
    return SourceSummary(**_summary(one, bounds, now))


def source(one: Source, bounds: Bounds, now: datetime) -> SourceView:
    """A source, whole."""
    return SourceView(**_whole(one, bounds, now))


def installation(one: Source, sql: str, *, bounds: Bounds, now: datetime, dry_run: bool) -> InstallView:
    """A source and what was run."""
    return InstallView(**_whole(one, bounds, now), dry_run=dry_run, sql=sql)


def _summary(one: Source, bounds: Bounds, now: datetime) -> dict[str, Any]:
    names = ("id", "name", "kind", "connection", "state", "healthy", "lag_s", "last_change_at", "created_at", "updated_at")
    standing = {"behind": records.behind(one, bounds, now), "outdated": records.outdated(one)}
    return {name: getattr(one, name) for name in names} | standing


def _whole(one: Source, bounds: Bounds, now: datetime) -> dict[str, Any]:
    same = (
        "wake",
        "installed_at",
        "pending",
        "looked_at",
        "next_try_at",
        "changes",
        "passed_over",
        "refused",
        "last_event",
        "version",
        "suspended_since",
        "capture_version",
        "outbox_bytes",
    )
    return {
        **_summary(one, bounds, now),
        "advice": records.advice(one, bounds, now),
        **{name: getattr(one, name) for name in same},
        "tables": [TableView(name=each.name, schema_=each.schema, table=each.table) for each in one.tables],
        "installed": one.installed is not None,
        "reading": one.owned,
        "last_error": None if one.error is None else SourceErrorView(code=one.error.code, message=one.error.message, at=one.error_at),
        "missing": list(one.missing),
        "created_by": one.created_by,
    }
