"""Programs and tenants as the hot loop needs them: from memory, else from the engine's schema."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from weft_language.compilation import Program

from weft_engine.journal import Journal
from weft_engine.programs import ProgramCache

TENANT_TTL_S: Final = 10.0
SUSPENDED_TTL_S: Final = 1.0


class Programs:
    """What executions run by, for the lanes of one process."""

    def __init__(self, cache: ProgramCache, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._cache = cache
        self._monotonic = monotonic
        self._suspended: dict[str, tuple[float, dict[str, str]]] = {}
        self._tenants: dict[str, tuple[float, dict[str, Any]]] = {}

    async def get(self, journal: Journal, tenant: str, slug: str, version: int | None) -> Program | None:
        """The program of a version, of the active one for None. None while the definition is not here."""
        if version is not None and (known := self._cache.get(tenant, slug, version)) is not None:
            return known
        found = await journal.definition(tenant, slug, version)
        return None if found is None else self._cache.compile(tenant, slug, *found)

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
