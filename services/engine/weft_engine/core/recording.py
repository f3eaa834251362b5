"""A recorded execution: what the API tells of one, enough to let it happen again without asking anything outside.

It is plain JSON: `{execution_id, workflow, version, tenant, definitions, journal}`: the version it began with, the definition of each
version it has run, by number, and the journal as `GET /executions/{id}/history` gives it. One of a single version may have `definition`,
and one that reads business calendars has them: `calendars: {name: {zone, hours, holidays}}`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from weft_language import compile_definition, parse
from weft_language.compilation import Program
from weft_language.expressions import compile_calendar

from weft_engine.core import entries as e
from weft_engine.core.context import Context
from weft_engine.core.entries import Entry
from weft_engine.core.evolve import Timed, flat, fold
from weft_engine.core.replaying import happenings, replay
from weft_engine.core.seeing import SEEN
from weft_engine.core.state import State


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of it. path: the nodes in the order of their visits.  differs_at: the first position at which the journals differ."""

    status: str
    output: Any
    error: dict[str, Any] | None
    path: list[str]
    differs_at: int | None


def replayed(recorded: Mapping[str, Any]) -> Replayed:
    """Let a recorded execution happen again by its definitions, which may be others now: that is what a test is for.

    Raises: InvalidDefinition, KeyError for what is no recording, LookupError where it lacks a version that the execution went on by.
    """
    execution_id = UUID(recorded["execution_id"])
    entries: list[Timed] = [(_entry(one), datetime.fromisoformat(one["at"])) for one in recorded["journal"]]
    programs = _programs(recorded)
    tenant = recorded["tenant"]
    context = Context(tenant, calendars={name: compile_calendar(one) for name, one in recorded.get("calendars", {}).items()})
    state = State(execution_id, tenant["id"], recorded["workflow"], recorded["version"])
    if entries:
        state.traceparent = entries[0][0].data.get("traceparent")  # it came in the envelope of the start, not in the item
    rows = replay(state, happenings(execution_id, entries), programs[recorded["version"]], context, programs)
    end = fold(execution_id, rows) or state
    again = flat(rows)
    path = [entry.node for entry, _ in again if entry.node is not None and entry.kind in _ENDED]
    return Replayed(end.status, end.output, end.error, path, _difference(entries, again))


_ENDED = frozenset({"step.completed", "step.failed"})


def versions(journal: Iterable[Mapping[str, Any]]) -> list[int]:
    """The versions that an execution has run, in order, from its journal as the API shows it."""
    told = (entry["data"].get("version") for entry in journal if entry["kind"] in _BY_ANOTHER)
    return list(dict.fromkeys(version for version in told if version))


def tenant_seen(journal: Iterable[Mapping[str, Any]], otherwise: Mapping[str, Any]) -> Mapping[str, Any]:
    """`{tier, settings}` as an execution saw them first, from its journal as the API shows it. otherwise: for one that reads neither."""
    return next((entry["data"][SEEN] for entry in journal if SEEN in entry["data"]), otherwise)


_BY_ANOTHER = frozenset({e.QUEUED, e.STARTED, e.MIGRATED, e.RETRIED})


def _programs(recorded: Mapping[str, Any]) -> dict[int, Program]:
    documents = recorded["definitions"] if "definitions" in recorded else {recorded["version"]: recorded["definition"]}
    return {int(number): compile_definition(parse(document), int(number)) for number, document in documents.items()}


def _entry(shown: Mapping[str, Any]) -> Entry:
    return Entry(shown["kind"], shown["node"], shown["visit"] or 0, shown["attempt"] or 0, shown["data"], shown["scope"])


def _difference(entries: list[Timed], again: list[Timed]) -> int | None:
    for position, (was, now) in enumerate(zip(entries, again, strict=False)):
        if _as_shown(was[0]) != _as_shown(now[0]):
            return position
    return None if len(entries) == len(again) else min(len(entries), len(again))


def _as_shown(entry: Entry) -> Any:
    """An entry as the API would show it: one that was just made has tuples and times of its own."""
    return msgspec.json.decode(msgspec.json.encode(entry))
