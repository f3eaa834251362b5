"""The unit of work: what a use case is given to do its work in. The frame around it commits, acks and publishes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Generic, TypeVar

from weft_contracts.message import Message

from weft_runtime.origins import signed

StateT = TypeVar("StateT")

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from weft_runtime.auth.caller import Caller


@dataclass(frozen=True, slots=True)
class Saying:
    """A word to be said when the transaction has committed. tenant: whom it belongs to.  replyto: where answers go."""

    message: Message
    tenant: str
    replyto: str | None = None


@dataclass(slots=True)
class UnitOfWork:
    """One transaction of one service, for one tenant.

    tenant: whose data this is; row-level security holds a route to it. Batch handlers, which serve many tenants at once, see "".
    conn: the open transaction, used by `store` only.  now: the time of this transaction, UTC.
    caller: who asks, None at the message door.  traceparent: the W3C trace it belongs to.
    """

    tenant: str
    conn: AsyncConnection
    now: datetime
    caller: Caller | None = None
    traceparent: str | None = None
    said: list[Saying] = field(default_factory=list)

    def say(self, *messages: Message, tenant: str | None = None) -> None:
        """Say these words once the transaction commits: they go into the outbox with it, so neither happens without the other.

        A word that tells `by` whom something was done, or its `origin`, and does not say it itself, tells who asks, and from where.
        """
        whose = tenant or self.tenant
        self.said.extend(Saying(signed(message, whose, self.caller, self.traceparent, self.now), whose) for message in messages)


@dataclass(frozen=True, slots=True)
class Decision(Generic[StateT]):
    """What a pure decision gives: the next state and what to say about it."""

    state: StateT
    says: Sequence[Message] = ()
