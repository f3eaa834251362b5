"""Changes of rows, read and made into events; and what counts of them. Pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from weft_contracts.cloudevents import write_structured
from weft_events.domain import MAX_EVENT_BYTES
from weft_events.errors import TableEventsMoved
from weft_events.records import Change, Source, TableEvents, Watched, event_of, put_off, read_change, written
from weft_events.records.sources import AGAIN_MOST, Failure

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
EVENT = UUID("0195d3a0-0000-4000-8000-000000000001")


def row(old: Any = None, new: Any = None, **fields: Any) -> dict[str, Any]:
    """A row of an outbox."""
    given = {"was": None if old is None else json.dumps(old), "is_now": None if new is None else json.dumps(new)}
    changed = sorted(name for name in (old or {}) | (new or {}) if (old or {}).get(name) != (new or {}).get(name))
    return {
        "id": 1, "event": EVENT, "at": NOW, "txid": "700", "name": "orders", "operation": "update", "key": '{"id": 1}', "changed": changed,
        "left_out": [], **given, **fields,
    }  # fmt: skip


def test_the_same_change_is_the_same_event_however_often_it_is_read() -> None:
    made = [event_of(read_change(row({"id": 1, "a": 1}, {"id": 1, "a": 2})), "shop")[0] for _ in range(2)]
    assert made[0] == made[1]
    assert (made[0].id, made[0].source, made[0].type, made[0].subject, made[0].time) == (
        str(EVENT), "weft/records/shop", "record.orders.update", "1", NOW,
    )  # fmt: skip


def test_a_key_of_several_columns_and_none_at_all_are_told() -> None:
    several, none = (event_of(read_change(row({}, {}, key=key)), "shop")[0] for key in ('{"a": "x", "b": [1]}', None))
    assert (several.subject, none.subject, none.data["key"]) == ("x,[1]", None, None)


@pytest.mark.parametrize("character", ["x", "\x01", "é", '"'])
def test_an_event_is_never_too_large_and_keeps_its_small_fields_and_says_what_it_leaves_out(character: str) -> None:
    large = {f"f{number:02}": character * 6_000 for number in range(20)}
    event, kept = event_of(read_change(row({"id": 1, "small": 1} | large, {"id": 1, "small": 2} | large)), "shop")
    assert len(write_structured(event)) <= MAX_EVENT_BYTES
    assert (kept.old, kept.new, kept.key) == (
        {"id": 1, "small": 1} | {name: large[name] for name in large if name not in kept.left_out},
        {"id": 1, "small": 2} | {name: large[name] for name in large if name not in kept.left_out},
        {"id": 1},
    )
    assert kept.left_out == event.data["left_out"] or tuple(event.data["left_out"]) == kept.left_out
    assert event.data["changed"] == ["small"]


def test_a_row_of_names_alone_is_told_by_its_key() -> None:
    wide = {f"{'n' * 200}{number}": None for number in range(1600)}
    event, kept = event_of(read_change(row(wide, wide, changed=sorted(wide))), "shop")
    assert len(write_structured(event)) <= MAX_EVENT_BYTES
    assert (kept.key, kept.left_out[-1:], kept.changed) in (({"id": 1}, ("*",), ()), ({"id": 1}, kept.left_out[-1:], tuple(sorted(wide))))


def change(operation: str = "update", old: Any = None, new: Any = None) -> Change:
    return read_change(row(old, new, operation=operation))


def counts(settings: TableEvents, one: Change) -> bool:
    return settings.counts(one, {"trigger": {"payload": one.data()}, "now": NOW})


def test_settings_say_which_changes_count() -> None:
    updated = change("update", {"a": 1, "b": 1}, {"a": 2, "b": 1})
    created = change("create", None, {"a": 2, "b": None})
    assert counts(TableEvents("orders"), updated)
    assert not counts(TableEvents("orders", enabled=False), updated)
    assert [counts(TableEvents("orders", operations=("create",)), one) for one in (updated, created)] == [False, True]
    # Fields narrow updates: a row that comes or goes counts whatever is in it.
    assert [counts(TableEvents("orders", fields=("b",)), one) for one in (updated, created)] == [False, True]
    assert counts(TableEvents("orders", fields=("a", "b")), updated)
    condition = {"all": [{"left": "trigger.payload.record.a", "op": "gt", "right": 5}]}
    assert not counts(TableEvents("orders", conditions=condition), updated)
    assert counts(TableEvents("orders", conditions=condition), change("update", {"a": 1}, {"a": 6}))


def test_a_change_that_conditions_cannot_be_evaluated_for_is_not_lost() -> None:
    condition = {"left": "trigger.payload.record.gone", "op": "gt", "right": 5}
    assert counts(TableEvents("orders", conditions=condition), change("update", {"a": 1}, {"a": 2}))


def test_settings_are_numbered_and_changed_only_as_they_were_read() -> None:
    first = written(None, TableEvents("orders", fields=("a",)), None, NOW, "me")
    assert (first.version, first.created_at, first.updated_by) == (1, NOW, "me")
    assert written(first, TableEvents("orders", fields=("a",)), "1", NOW + timedelta(1), "you") is first
    second = written(first, TableEvents("orders"), "1", NOW + timedelta(1), "you")
    assert (second.version, second.created_at, second.updated_by) == (2, NOW, "you")
    for was, etag in ((second, "1"), (None, "1")):
        with pytest.raises(TableEventsMoved):
            written(was, TableEvents("orders"), etag, NOW, None)


def test_a_source_that_fails_is_tried_later_and_later_and_within_five_minutes() -> None:
    assert [(put_off(times, NOW) - NOW).total_seconds() for times in (1, 2, 3, 4)] == [1, 2, 4, 8]
    assert put_off(10_000, NOW) - NOW == AGAIN_MOST


def test_the_state_of_a_source_says_what_is_wrong_with_it() -> None:
    tables = (Watched("orders", "public", "orders"),)

    def state(**fields: Any) -> tuple[str, bool]:
        made = Source("acme", EVENT, "shop", "postgres", "shop", tables, "notify", 1, NOW, None, NOW, **fields)
        return made.state, made.healthy

    assert state() == ("created", False)
    there: dict[str, Any] = {"installed": tables}
    assert state(**there) == ("starting", False)
    assert state(**there, looked_at=NOW) == ("watching", True)
    assert state(installed=(), looked_at=NOW) == ("changed", False)
    assert state(**there, looked_at=NOW, missing=("orders",)) == ("degraded", False)
    assert state(**there, looked_at=NOW, refused=1) == ("degraded", False)
    assert state(**there, looked_at=NOW, error=Failure("denied", "no")) == ("failing", False)
    assert state(**there, removing=True) == ("removing", False)
