"""Compiled definitions and tenants as the hot loop needs them, kept in memory. A version never changes once it is published."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from weft_language import compile_definition, parse
from weft_language.compilation import Program

from weft_engine.journal import Journal

MAX_PROGRAMS: Final = 1_000
TENANT_TTL_S: Final = 10.0


class Programs:
    """The programs of one process, the least recently used dropped first."""

    def __init__(self) -> None:
        self._programs: dict[tuple[str, str, int], Program] = {}
        self._tenants: dict[str, tuple[float, dict[str, Any]]] = {}

    async def get(self, journal: Journal, tenant: str, slug: str, version: int | None) -> Program | None:
        """The program of a version, of the active one for None. None while the definition is not here."""
        if version is not None and (known := self._programs.pop((tenant, slug, version), None)) is not None:
            self._programs[tenant, slug, version] = known
            return known
        found = await journal.definition(tenant, slug, version)
        if found is None:
            return None
        number, _, document = found
        key = (tenant, slug, number)
        if key not in self._programs:
            self._programs[key] = compile_definition(parse(document), number)
            if len(self._programs) > MAX_PROGRAMS:
                del self._programs[next(iter(self._programs))]
        return self._programs[key]

    async def tenant(self, journal: Journal, tenant: str, monotonic: Callable[[], float] = time.monotonic) -> dict[str, Any]:
        """A tenant as expressions read it, at most `TENANT_TTL_S` old; one not heard of yet has the standard tier."""
        known = self._tenants.get(tenant)
        if known is not None and monotonic() - known[0] < TENANT_TTL_S:
            return known[1]
        found = await journal.tenant(tenant) or {"id": tenant, "tier": "standard", "settings": {}}
        self._tenants[tenant] = (monotonic(), found)
        return found
