"""Programs, tenants and calendars as the hot loop needs them: from memory, else from the engine's schema."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import structlog
from weft_language import InvalidDefinition
from weft_language.compilation import Program
from weft_language.expressions import Calendar, ExpressionError, compile_calendar

from weft_engine.core.claims import Values
from weft_engine.core.context import Context
from weft_engine.core.names import NONE
from weft_engine.journal import Journal
from weft_engine.programs import ProgramCache
from weft_engine.settings import Settings

NOBODY: Final[frozenset[str]] = frozenset()
TENANT_TTL_S: Final = 10.0
SUSPENDED_TTL_S: Final = 1.0
CALENDARS_TTL_S: Final = 1.0
REREAD_S: Final = 0.1
"""How old at most is what tells that there is no such calendar."""
PATIENCE: Final = timedelta(seconds=2)
PATIENT_AGAIN: Final = timedelta(seconds=30)
MAX_MISSED: Final = 10_000

log = structlog.get_logger(__name__)


class Programs:
    """What executions run by, for the lanes of one process."""

    def __init__(self, cache: ProgramCache, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._cache = cache
        self._monotonic = monotonic
        self._suspended: dict[str, tuple[float, dict[str, str]]] = {}
        self._tenants: dict[str, tuple[float, dict[str, Any]]] = {}
        self._everybody: tuple[float, frozenset[str]] | None = None
        self._calendars: dict[str, tuple[float, dict[str, Calendar]]] = {}
        self._compiled: dict[tuple[str, str], tuple[int, Calendar | None]] = {}
        self._missed: dict[tuple[str, str], datetime] = {}

    async def get(self, journal: Journal, tenant: str, slug: str, version: int | None) -> Program | None:
        """The program of a version, of the active one for None. None while the definition is not here, or cannot be run by this code."""
        if version is not None and (known := self._cache.get(tenant, slug, version)) is not None:
            return known
        found = await journal.definition(tenant, slug, version)
        if found is None:
            return None
        try:
            return self._cache.compile(tenant, slug, *found)
        except InvalidDefinition as error:
            # One that newer code published, while this process still runs the older: its executions wait or are refused, all others go
            # on. Guarded by tests/services/engine/test_parked.py.
            log.error("definition_unusable", tenant=tenant, workflow=slug, version=found[0], error=str(error))
            return None

    async def context(self, journal: Journal, tenant: str, program: Program, settings: Settings, values: Values) -> Context:
        """What the core is given to decide an item of this tenant by a program. values: contents of what is kept apart."""
        held_up, known = await self.suspended(journal, tenant), await self.tenant(journal, tenant)
        calendars = await self.calendars(journal, tenant) if program.calendars.any else NONE
        tenants = await self.tenants(journal) if program.names_queues else NOBODY
        shared = settings.shared_queues
        return Context(known, settings.resend_s, settings.activity_lease_s, held_up, values, calendars, tenants, shared)

    async def awaits_calendar(self, journal: Journal, tenant: str, program: Program, now: datetime) -> bool:
        """Whether a program names a business calendar that is not here but may be on its way: a start is better held for a moment then.

        It may be for `PATIENCE` from when it was first missed, and then not for a while, so that a wrong name holds up nobody.
        """
        named = program.calendars.named
        if not named or named <= (await self.calendars(journal, tenant)).keys():
            return False
        missing = named - (await self.calendars(journal, tenant, ttl_s=REREAD_S)).keys()
        if len(self._missed) > MAX_MISSED:
            self._missed.clear()
        for name in missing:
            if now - self._missed.setdefault((tenant, name), now) > PATIENT_AGAIN:
                self._missed[tenant, name] = now
        return any(now - self._missed[tenant, name] < PATIENCE for name in missing)

    async def calendars(self, journal: Journal, tenant: str, *, ttl_s: float = CALENDARS_TTL_S) -> Mapping[str, Calendar]:
        """A tenant's business calendars by name, at most so old."""
        known = self._calendars.get(tenant)
        if known is not None and self._monotonic() - known[0] < ttl_s:
            return known[1]
        read = ((name, self._calendar(tenant, name, revision, written)) for name, revision, written in await journal.calendars(tenant))
        found = {name: calendar for name, calendar in read if calendar is not None}
        self._calendars[tenant] = (self._monotonic(), found)
        return found

    def _calendar(self, tenant: str, name: str, revision: int, document: str) -> Calendar | None:
        """Compiled once: most readings find what was there before. One that cannot be read here, such as a zone unknown to it, is none."""
        before = self._compiled.get((tenant, name))
        if before is None or before[0] != revision:
            try:
                calendar = compile_calendar(msgspec.json.decode(document))
            except ExpressionError as error:
                log.error("calendar_unusable", tenant=tenant, calendar=name, revision=revision, error=str(error))
                calendar = None
            before = self._compiled[tenant, name] = (revision, calendar)
        return before[1]

    async def suspended(self, journal: Journal, tenant: str) -> dict[str, str]:
        """What of a tenant is held up, as `Context.suspended`, at most `SUSPENDED_TTL_S` old."""
        known = self._suspended.get(tenant)
        if known is not None and self._monotonic() - known[0] < SUSPENDED_TTL_S:
            return known[1]
        found = await journal.suspended(tenant)
        self._suspended[tenant] = (self._monotonic(), found)
        return found

    async def tenants(self, journal: Journal) -> frozenset[str]:
        """The ids of all tenants, at most `TENANT_TTL_S` old."""
        if self._everybody is None or self._monotonic() - self._everybody[0] >= TENANT_TTL_S:
            self._everybody = (self._monotonic(), await journal.tenants())
        return self._everybody[1]

    async def tenant(self, journal: Journal, tenant: str) -> dict[str, Any]:
        """A tenant as expressions read it, at most `TENANT_TTL_S` old; one not heard of yet has the standard tier."""
        known = self._tenants.get(tenant)
        if known is not None and self._monotonic() - known[0] < TENANT_TTL_S:
            return known[1]
        found = await journal.tenant(tenant) or {"id": tenant, "tier": "standard", "settings": {}}
        self._tenants[tenant] = (self._monotonic(), found)
        return found


class Contexts:
    """What the items of one turn are decided with: made once for all of a tenant's program, as a turn often holds a hundred of them."""

    def __init__(self, programs: Programs, journal: Journal, settings: Settings) -> None:
        self._programs = programs
        self._journal = journal
        self._settings = settings
        self._made: dict[tuple[str, str, int], Context] = {}

    async def get(self, tenant: str, program: Program, values: Values) -> Context:
        """As `Programs.context`."""
        key = tenant, program.slug, program.version
        made = self._made.get(key)
        if made is None or made.values is not values:
            made = self._made[key] = await self._programs.context(self._journal, tenant, program, self._settings, values)
        return made
