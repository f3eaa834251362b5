"""How signals change an execution: kept, delivered, given up, refused."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from weft_engine.core import entries as e
from weft_engine.core.entries import Entry
from weft_engine.core.evolve.change import Change, moment, node_of
from weft_engine.core.state import SEEN_SIGNALS, KeptSignal, State


def _kept(state: State, entry: Entry, at: datetime) -> None:
    data = entry.data
    kept = KeptSignal(
        data["signal_id"], data["name"], data.get("payload"), data.get("user"), moment(data["expires_at"]) or at, data.get("event")
    )
    state.kept = (*state.kept, kept)
    _remember(state, kept.signal_id)


def _delivered(state: State, entry: Entry, at: datetime) -> None:
    signal_id = entry.data["signal_id"]
    state.kept = tuple(kept for kept in state.kept if kept.signal_id != signal_id)
    _remember(state, signal_id)


def _expired(state: State, entry: Entry, at: datetime) -> None:
    state.kept = tuple(kept for kept in state.kept if kept.signal_id != entry.data["signal_id"])


def _refused(state: State, entry: Entry, at: datetime) -> None:
    # It is not seen: a later visit may be asked for it again, and take it.
    pending = state.pending[node_of(entry), entry.visit]
    pending.data = {**pending.data, "refused": [*pending.data.get("refused", ()), entry.data["signal_id"]]}


def _remember(state: State, signal_id: str) -> None:
    if signal_id not in state.seen:
        state.seen = (*state.seen, signal_id)[-SEEN_SIGNALS:]


SIGNAL_CHANGES: Final[dict[str, Change]] = {
    e.SIGNAL_KEPT: _kept,
    e.SIGNAL_DELIVERED: _delivered,
    e.SIGNAL_EXPIRED: _expired,
    e.SIGNAL_REFUSED: _refused,
}
