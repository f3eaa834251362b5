"""What a running service has at hand: given to routes and to background work."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from structlog.typing import FilteringBoundLogger

from weft_runtime.auth.caller import Caller
from weft_runtime.clock import Clock
from weft_runtime.database.engine import Database
from weft_runtime.errors import Unavailable
from weft_runtime.settings import ServiceSettings
from weft_runtime.telemetry.metrics import Metrics
from weft_runtime.telemetry.tracing import current_traceparent
from weft_runtime.uow import UnitOfWork

if TYPE_CHECKING:
    from weft_runtime.auth.verify import Verifier
    from weft_runtime.bus.ports import Bus
    from weft_runtime.http.cursors import Cursors
    from weft_runtime.http.shared_rates import SharedRates

PartT = TypeVar("PartT")


class Mouth(Protocol):
    """How what was said in a transaction leaves it: written with it, sent after it."""

    async def write(self, uow: UnitOfWork) -> Any:
        """Write what was said into the outbox, within the transaction. Returns: what `send` needs."""

    async def send(self, written: Any) -> None:
        """Send what was written. Never raises: what could not be sent stays for the sweeper."""


@dataclass(slots=True)
class ServiceContext:
    """A running service.

    settings: the service's own.  mouth: its outbox.  limiter: shared by the services of a process.
    """

    name: str
    settings: ServiceSettings
    database: Database
    bus: Bus
    clock: Clock
    metrics: Metrics
    log: FilteringBoundLogger
    cursors: Cursors
    limiter: SharedRates = field(init=False)
    verifier: Verifier = field(init=False)
    mouth: Mouth = field(init=False)
    _parts: dict[type[Any], Any] = field(default_factory=dict)

    @asynccontextmanager
    async def transaction(self, tenant: str, caller: Caller | None = None) -> AsyncIterator[UnitOfWork]:
        """A unit of work as the API role, held to one tenant: committed at the end of the block, then what was said is sent.

        Raises: Unavailable, StaleWrite, Conflict, Invalid, by what the database answers.
        """
        written: Any = None
        async with self.database.transaction(tenant) as connection:
            uow = UnitOfWork(tenant, connection, self.clock.now(), caller, current_traceparent())
            yield uow
            written = await self.mouth.write(uow) if uow.said else None
        if written is not None:
            await self.mouth.send(written)

    @asynccontextmanager
    async def owner_transaction(self, tenant: str = "", caller: Caller | None = None) -> AsyncIterator[UnitOfWork]:
        """A unit of work as the owner of the schema, which sees every tenant. Raises: as `transaction`."""
        written: Any = None
        async with self.database.owner_transaction() as connection:
            uow = UnitOfWork(tenant, connection, self.clock.now(), caller, current_traceparent())
            yield uow
            written = await self.mouth.write(uow) if uow.said else None
        if written is not None:
            await self.mouth.send(written)

    @contextmanager
    def sparing(self, work: str, *, but: tuple[type[Exception], ...] = (), **about: str) -> Iterator[None]:
        """Background work on one of several, such as a tenant: a bug that it meets is logged and counted, and the others have their turn.

        but: what else is no bug.  Raises: that, and Unavailable, which none of the others could do without either.
        """
        passing: tuple[type[Exception], ...] = (Unavailable, *but)
        try:
            yield
        except passing:
            raise
        except Exception as error:  # background work has nobody above it that could answer
            self.metrics.internal_error("background")
            self.log.error("background work failed", work=work, exc_info=error, **about)

    def attach(self, *parts: object) -> None:
        """Keep objects of the service's own, to be found again by their class."""
        self._parts.update({type(part): part for part in parts})

    def part(self, kind: type[PartT]) -> PartT:
        """The object of this class that was attached. Raises: LookupError."""
        try:
            return self._parts[kind]  # type: ignore[no-any-return]
        except KeyError:
            raise LookupError(f"{self.name} has no {kind.__name__}; attach it when the service starts") from None

    def parts(self) -> Sequence[object]:
        """Everything attached."""
        return tuple(self._parts.values())
