"""Programs and tenants as the hot loop needs them: from memory, else from the engine's schema."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from weft_language import InvalidDefinition
from weft_language.compilation import Program

from weft_engine.journal import Journal
from weft_engine.programs import ProgramCache

TENANT_TTL_S: Final = 10.0
SUSPENDED_TTL_S: Final = 1.0

log = structlog.get_logger(__name__)


class Programs:
    """What executions run by, for the lanes of one process."""

    def __init__(self, cache: ProgramCache, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._cache = cache
        self._monotonic = monotonic
        self._suspended: dict[str, tuple[float, dict[str, str]]] = {}
        self._tenants: dict[str, tuple[float, dict[str, Any]]] = {}

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

    async def suspended(self, journal: Journal, tenant: str) -> dict[str, str]:
        """What of a tenant is held up, as `Context.suspended`, at most `SUSPENDED_TTL_S` old."""
        known = self._suspended.get(tenant)
        if known is not None and self._monotonic() - known[0] < SUSPENDED_TTL_S:
            return known[1]
        found = await journal.suspended(tenant)
        self._suspended[tenant] = (self._monotonic(), found)
        return found

    async def tenant(self, journal: Journal, tenant: str) -> dict[str, Any]:
        """A tenant as expressions read it, at most `TENANT_TTL_S` old; one not heard of yet has the standard tier."""
        known = self._tenants.get(tenant)
        if known is not None and self._monotonic() - known[0] < TENANT_TTL_S:
            return known[1]
        found = await journal.tenant(tenant) or {"id": tenant, "tier": "standard", "settings": {}}
        self._tenants[tenant] = (self._monotonic(), found)
        return found
