"""What a lane holds of executions with large values: names, and a bounded number of bytes of what it used lately."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import msgspec
from weft_contracts.envelope import Item
from weft_engine.core import items as words
from weft_engine.core.claims import INLINE_BYTES, Claimed, Values
from weft_engine.core.context import Context
from weft_engine.core.entries import Row, decode
from weft_engine.core.evolve import fold
from weft_engine.hotloop.arrivals import Piece
from weft_engine.hotloop.contents import Recent
from weft_engine.hotloop.deciding import Turnout
from weft_engine.hotloop.owned import Held, Owned
from weft_language import compile_definition, parse
from weft_runtime.database import blobs

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
NAMESPACE = UUID("0190a6f0-0000-7000-8000-000000000001")
PROGRAM = compile_definition(
    parse({
        "format": "weft/v1", "slug": "test", "name": "Test",
        "nodes": [
            {"id": "big", "type": "activity", "with": {"name": "big"}},
            {"id": "rest", "type": "state", "with": {"signals": {"go": {}}}},
        ],
    }),
    1,
)  # fmt: skip
CONTEXT = Context({"id": "acme", "tier": "standard", "settings": {}})
OUTPUT_BYTES = 500 * 1024
EXECUTIONS = 1_000
AT_ONCE = 50


def turn(owned: Owned, happenings: list[words.Happening], now: datetime) -> Turnout:
    """A turn as the lane has it: decided, closed, and what came of it put in its place."""
    turnout = Turnout(8)
    for happening in happenings:
        data = msgspec.Raw(msgspec.json.encode(happening))
        item = Item(id="i", source="test", type="test", tenantid="acme", data=data)
        piece = Piece(owned, happening, "acme", item, size_bytes=memoryview(data).nbytes)
        assert turnout.decide(piece, owned.get(happening.execution_id), PROGRAM, CONTEXT, now) is None
    turnout.close(now, Values())
    for _, held in turnout.held:
        owned.put(held, EXECUTIONS)
    return turnout


def bytes_of(held: dict[UUID, Held]) -> int:
    """What the states take, about: as bytes that they could be made from again."""
    return len(pickle.dumps(held))


def test_a_thousand_open_executions_with_outputs_of_500_kib_hold_none_of_them() -> None:
    owned = Owned(0, 1, 0, 0)
    ids = [uuid5(NAMESPACE, str(number)) for number in range(EXECUTIONS)]
    rows = {id_: list[Row]() for id_ in ids}
    stored = 0
    for first in range(0, EXECUTIONS, AT_ONCE):
        some = ids[first : first + AT_ONCE]
        started = turn(owned, [words.Start(id_, "test") for id_ in some], NOW)
        outputs = [words.ActivityCompleted(id_, "big", 1, 1, "done", f"{id_}{'x' * OUTPUT_BYTES}") for id_ in some]
        done = turn(owned, list(outputs), NOW + timedelta(seconds=1))
        for turnout in (started, done):
            for row in turnout.batch.rows:
                rows[row.execution_id].append(Row(row.position, row.at, decode(row.entries)))
        stored += sum(map(len, done.contents.values()))

    assert stored > EXECUTIONS * OUTPUT_BYTES
    assert len(owned.held) == EXECUTIONS
    assert bytes_of(owned.held) < 5 * 1024 * 1024
    for id_, held in owned.held.items():
        assert held.state == fold(id_, rows[id_]), "memory differs from what the journal tells"
        assert isinstance(held.state.steps["big"].output, Claimed)


def test_a_state_that_was_changed_in_place_and_holds_a_large_value_whole_is_not_kept() -> None:
    owned = Owned(0, 1, 0, 0)
    one = uuid5(NAMESPACE, "one")
    turn(owned, [words.Start(one, "test")], NOW)
    output = "x" * OUTPUT_BYTES
    turnout = Turnout(8)
    unsuspected = Piece(owned, words.ActivityCompleted(one, "big", 1, 1, "done", output), "acme")
    turnout.decide(unsuspected, owned.get(one), PROGRAM, CONTEXT, NOW)
    turnout.close(NOW, Values())
    for _, held in turnout.held:
        owned.put(held, EXECUTIONS)

    assert owned.get(one) is None
    assert list(turnout.contents.values()) == [msgspec.json.encode(output)]


def test_what_was_used_lately_is_bounded_by_bytes_and_the_oldest_goes_first() -> None:
    recent = Recent(10)
    recent.put("a", b"aaaa")
    recent.put("b", b"bbbb")
    assert recent.get("a") == b"aaaa"
    recent.put("c", b"cccc")
    recent.put("huge", b"x" * 11)

    assert [recent.get(id_) for id_ in ("a", "b", "c", "huge")] == [b"aaaa", None, b"cccc", None]
    assert recent.size_bytes == 8


def test_what_is_large_is_the_same_to_the_engine_and_to_the_table_of_blobs() -> None:
    assert INLINE_BYTES == blobs.INLINE_BYTES
