"""What a service gives to be run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData

from weft_runtime.auth.published import Source
from weft_runtime.context import ServiceContext
from weft_runtime.database.migrate import migrate
from weft_runtime.http.application import openapi
from weft_runtime.http.door import Door
from weft_runtime.pipeline import parked_door
from weft_runtime.settings import ServiceSettings

if TYPE_CHECKING:
    from weft_runtime.pipeline import Handlers

Background = Callable[[ServiceContext], Awaitable[None]]
"""Work of its own beside the doors: run until cancelled, started again when it fails."""


@dataclass(frozen=True, slots=True)
class Service:
    """A service, wired.

    name: of its schema, role and inbox.  package: its Python package, which has `migrations/versions`.
    startup: awaited in order before the doors open.  background: run until cancelled.  checks: more of `/health/ready`, by name.
    token_source: where the issuer's keys are, for the issuer itself; all others read `settings.jwks_url`.
    """

    name: str
    package: str
    settings: ServiceSettings
    door: Door
    handlers: Handlers | None
    tables: MetaData
    background: Sequence[Background] = ()
    startup: Sequence[Background] = ()
    checks: Mapping[str, Callable[[ServiceContext], bool]] = field(default_factory=dict)
    token_source: Callable[[ServiceContext], Source] | None = None

    def __post_init__(self) -> None:
        """Give the door the routes for parked messages, where there is a message door."""
        if self.handlers is not None:
            parked_door.declare(self.door, self.name)

    async def migrate(self) -> None:
        """Bring the schema up to this code."""
        await migrate(self.settings.database_url.get_secret_value(), self.package, self.name)

    def openapi(self) -> dict[str, Any]:
        """The description of its API, OpenAPI 3.1."""
        return openapi(self.door)
