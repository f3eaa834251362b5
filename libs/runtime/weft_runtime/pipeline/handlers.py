"""The registry of a room's handlers: which function hears which word."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from weft_contracts.envelope import Item
from weft_contracts.message import Message

from weft_runtime.uow import UnitOfWork

MessageT = TypeVar("MessageT", bound=Message, covariant=True)
HandlerT = TypeVar("HandlerT", bound=Callable[..., Awaitable[None]])

OneHandler = Callable[[Any, UnitOfWork], Awaitable[None]]
BatchHandler = Callable[[Sequence[Any], UnitOfWork], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Heard(Generic[MessageT]):
    """A word that came in, with its envelope. tenant: whom it belongs to."""

    message: MessageT
    tenant: str
    item: Item


@dataclass(frozen=True, slots=True)
class RawEvent:
    """A domain event as it came from `weft.domain`, unread: its mode is told by content type and headers."""

    content_type: str
    headers: Mapping[str, Any]
    body: bytes
    routing_key: str


class Handlers:
    """What a room hears. `@on(Word)` hears one at a time, `@on.batch(Word, …)` all of a transaction, `@on.domain` raw domain events.

    Within one transaction the single handlers run in the order of arrival, then each batch handler once.

    gather_s: above 0 for a room that nobody waits for and that hears very much: it takes its frames without the framework's middlewares
    (items are traced and counted all the same) and waits so long for others to come before it opens a transaction.
    """

    def __init__(self, room: str, *, gather_s: float = 0.0) -> None:
        self.room = room
        self.gather_s = gather_s
        self.repeatable: set[type[Message]] = set()
        self._heard: set[type[Message]] = set()
        self.singles: dict[type[Message], OneHandler] = {}
        self.batches: list[tuple[frozenset[type[Message]], BatchHandler]] = []
        self.raw: BatchHandler | None = None

    def __call__(self, word: type[Message]) -> Callable[[HandlerT], HandlerT]:
        """Hear one word: `async def handler(msg, uow)`. Raises: ValueError when it is heard already."""

        def register(handler: HandlerT) -> HandlerT:
            self._refuse_twice(word)
            self._heard.add(word)
            self.singles[word] = handler
            return handler

        return register

    def batch(self, *words: type[Message], repeatable: bool = False) -> Callable[[HandlerT], HandlerT]:
        """Hear these words together: `async def handler(heard: Sequence[Heard], uow)`; the tenant is in each, `uow.tenant` is "".

        repeatable: hearing one again changes nothing by the handler's own doing, so the inbox need not remember them.
        """

        def register(handler: HandlerT) -> HandlerT:
            for word in words:
                self._refuse_twice(word)
            self._heard.update(words)
            self.batches.append((frozenset(words), handler))
            if repeatable:
                self.repeatable.update(words)
            return handler

        return register

    def domain(self, handler: HandlerT) -> HandlerT:
        """Hear domain events unread: `async def handler(heard: Sequence[RawEvent], uow)`."""
        if self.raw is not None:
            raise ValueError(f"{self.room} hears domain events already")
        self.raw = handler
        return handler

    @property
    def words(self) -> frozenset[type[Message]]:
        """Every word heard."""
        return frozenset(self.singles).union(*(words for words, _ in self.batches))

    def hears(self, word: type[Message]) -> bool:
        """Whether there is a handler for it."""
        return word in self._heard

    def _refuse_twice(self, word: type[Message]) -> None:
        if self.hears(word):
            raise ValueError(f"{self.room} hears {word.__qualname__} already: one word has one handler")
