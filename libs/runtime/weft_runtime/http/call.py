"""One request on its way through the door: who asks, and the transaction it runs in."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from starlette.requests import Request
from starlette.types import Scope

from weft_runtime.auth.caller import Caller
from weft_runtime.errors import Unauthenticated
from weft_runtime.uow import UnitOfWork

if TYPE_CHECKING:
    from weft_runtime.context import ServiceContext
    from weft_runtime.http.reply import Reply

SCOPE_KEY = "weft.call"


@dataclass(slots=True)
class Call:
    """What the door knows of a request.

    route: the template of its path.  headers: to be added to the answer, whatever it will be.  code: of the problem it ended in.
    stack: closes the transactions it opened.  reply: what the route gave.  head: only the head of the answer is asked for.
    """

    request_id: str
    ip: str = ""
    route: str = "unknown"
    caller: Caller | None = None
    headers: dict[str, str] = field(default_factory=dict)
    code: str = ""
    head: bool = False
    stack: AsyncExitStack | None = None
    reply: Reply[object] | None = None
    _context: ServiceContext | None = None
    _uow: UnitOfWork | None = None
    _owner_uow: UnitOfWork | None = None

    @property
    def context(self) -> ServiceContext:
        """The service that is asked."""
        if self._context is None:
            raise RuntimeError("the service is not started; serve its asgi() only while it runs")
        return self._context

    @context.setter
    def context(self, context: ServiceContext) -> None:
        self._context = context

    @property
    def known_caller(self) -> Caller:
        """Who asks. Raises: Unauthenticated on a public route."""
        if self.caller is None:
            raise Unauthenticated("sign in first: send `Authorization: Bearer <token>`")
        return self.caller

    @property
    def tenant(self) -> str:
        """The caller's tenant, "" on a public route."""
        return self.caller.tenant if self.caller else ""

    async def uow(self) -> UnitOfWork:
        """The request's one transaction as the API role, begun when first asked for."""
        if self._uow is None:
            self._uow = await self._open().enter_async_context(self.context.transaction(self.tenant, self.caller))
        return self._uow

    async def owner_uow(self) -> UnitOfWork:
        """The request's one transaction as the owner of the schema, begun when first asked for."""
        if self._owner_uow is None:
            self._owner_uow = await self._open().enter_async_context(self.context.owner_transaction(self.tenant, self.caller))
        return self._owner_uow

    def _open(self) -> AsyncExitStack:
        if self.stack is None:
            raise RuntimeError("a transaction can be asked for only while the route runs")
        return self.stack


def call_in(scope: Scope) -> Call:
    """The call of an ASGI scope that came through the front."""
    return cast(Call, scope[SCOPE_KEY])


def call_of(request: Request) -> Call:
    """The call a request belongs to."""
    return call_in(request.scope)
