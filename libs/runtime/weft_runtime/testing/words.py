"""Words in tests: told to a service as if they had come from the bus, and heard from it as they were said."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from weft_contracts import catalog
from weft_contracts.envelope import Item
from weft_contracts.message import Message

from weft_runtime.clock import new_id
from weft_runtime.context import ServiceContext
from weft_runtime.pipeline import Outbox

if TYPE_CHECKING:
    from weft_runtime.testing.running import RunningService

WordT = TypeVar("WordT", bound=Message)


class HeardOutbox(Outbox):
    """The outbox, which also keeps what was said once its transaction has committed."""

    def __init__(self, context: ServiceContext) -> None:
        super().__init__(context)
        self.said: list[tuple[str, Message]] = []

    async def send(self, written: Any) -> None:
        """Keep and send what was written; what is no word, as when such an item is replayed, is sent and not kept."""
        for row in written:
            item = msgspec.json.decode(row.item, type=Item)
            with suppress(catalog.UnknownWord, catalog.BadWord):
                self.said.append((item.tenantid or "", catalog.read(item)))
        await super().send(written)


async def tell(
    running: RunningService,
    *messages: Message,
    tenant: str = "acme",
    source: str = "weft/test",
    id: str | None = None,
    subject: str | None = None,
) -> None:
    """Hand words to a service's message door and wait until they are handled (or parked).

    id: of the item where there is one message, to tell a repeat; a new one each when absent.
    Raises: TypeError where the service has no message door.
    """
    if running.host.pipeline is None:
        raise TypeError(f"{running.context.name} has no message door; give its Service handlers")
    await running.host.pipeline.hear(
        [catalog.pack(message, id=id or str(new_id()), source=source, tenant=tenant, subject=subject) for message in messages]
    )


def said(running: RunningService, word: type[WordT], *, tenant: str | None = None) -> list[WordT]:
    """What a service has said of this kind, in order, from either door. tenant: to whom it belongs, anybody when None."""
    return [message for whose, message in running.outbox.said if isinstance(message, word) and tenant in (None, whose)]
