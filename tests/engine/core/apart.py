"""The same execution with every value kept apart from its journal: whatever happens, it must come to the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from weft_engine.core.claiming import claim, opened
from weft_engine.core.claims import Values, Wanted
from weft_engine.core.context import Context
from weft_engine.core.entries import Entry, Row, decode, encode, encode_claiming
from weft_engine.core.evolve import fold
from weft_engine.core.messages import Outgoing, messages
from weft_engine.core.state import State

FoundT = TypeVar("FoundT")


def asking(contents: Mapping[str, bytes], context: Context, act: Callable[[Context], FoundT]) -> tuple[FoundT, set[str]]:
    """What acting comes to with nothing but the values that it asks for, however often that has to be tried; and the ids of those."""
    read: dict[str, bytes] = {}
    while True:
        try:
            return act(replace(context, values=Values(read))), set(read)
        except Wanted as wanted:
            assert wanted.claimed.id not in read, "what was given was asked for again"
            read[wanted.claimed.id] = contents[wanted.claimed.id]


@dataclass
class Apart:
    """An execution beside another one. contents: what its journal only names.  asked_for: ids of what the core has asked for."""

    state: State
    rows: list[Row] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)
    asked_for: set[str] = field(default_factory=set)

    def given(self, context: Context, act: Callable[[Context], FoundT]) -> FoundT:
        """What acting comes to with nothing but the values that it asks for."""
        found, asked_for = asking(self.contents, context, act)
        self.asked_for |= asked_for
        return found

    def keep(self, entries: Sequence[Entry], now: datetime, beside: Sequence[Row], said: Sequence[Outgoing]) -> None:
        """Write down what came of an item. beside: the journal of the other.  said: what that one just said."""
        position = sum(len(row.entries) for row in self.rows)
        kept = claim(entries, over=1)
        self.contents |= kept.contents
        self.rows.append(Row(position, now, decode(encode_claiming(kept.entries))))
        state = fold(self.state.id, self.rows)
        assert state is not None
        self.state = state
        (whole,) = opened(self.rows[-1:], self.contents)
        assert encode(whole.entries) == encode(beside[-1].entries), "another journal with values kept apart"
        again = messages(state, self.rows[-1].entries, position, now, 8, Values(self.contents))
        assert [(out.key, out.item.type, bytes(out.item.data)) for out in again] == [
            (out.key, out.item.type, bytes(out.item.data)) for out in said
        ], "it says something else with values kept apart"
