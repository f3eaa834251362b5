"""The lifecycle of a session: what becomes of a sign-in. Moves only, no IO."""

from __future__ import annotations

from enum import StrEnum

from statemachine import StateMachine
from statemachine.states import States


class SessionStatus(StrEnum):
    """Where a session is. `revoked`: one of its refresh tokens was used twice, or its person was taken away."""

    ACTIVE = "active"
    ENDED = "ended"
    EXPIRED = "expired"
    REVOKED = "revoked"


ENDS = (SessionStatus.ENDED, SessionStatus.EXPIRED, SessionStatus.REVOKED)


class SessionMachine(StateMachine):
    """A session is refreshed until it ends."""

    s = States.from_enum(SessionStatus, initial=SessionStatus.ACTIVE, final=list(ENDS), use_enum_instance=True)
    refresh = s.ACTIVE.to.itself()
    end = s.ACTIVE.to(s.ENDED)
    expire = s.ACTIVE.to(s.EXPIRED)
    revoke = s.ACTIVE.to(s.REVOKED)


MOVES: dict[tuple[SessionStatus, str], SessionStatus] = {
    (state.value, event.id): transition.target.value
    for state in SessionMachine.states
    for transition in state.transitions
    for event in transition.events
    if transition.target is not None
}
"""The machine as a table, read once: where each legal move leads."""

HARMLESS = frozenset((status, move) for status in ENDS for move in ("end", "expire", "revoke"))
"""Moves that change nothing and are no error: what is over stays over, whoever ends it again."""
EVENTS = tuple(sorted({move for _, move in MOVES}))
"""Every move there is."""
