"""Compiled definitions, kept in memory. A version never changes once it is published, so a copy is never stale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from weft_language import compile_definition, parse
from weft_language.compilation import Program

MAX_PROGRAMS: Final = 1_000


class ProgramCache:
    """The programs of one process, the least recently used dropped first."""

    def __init__(self, limit: int = MAX_PROGRAMS) -> None:
        self._limit = limit
        self._programs: dict[tuple[str, str, int], Program] = {}

    def get(self, tenant: str, slug: str, version: int) -> Program | None:
        """A program that was compiled before, None when it has to be."""
        program = self._programs.pop((tenant, slug, version), None)
        if program is not None:
            self._programs[tenant, slug, version] = program
        return program

    def compile(self, tenant: str, slug: str, version: int, document: Mapping[str, Any]) -> Program:
        """The program of a document, compiled once. Raises: InvalidDefinition for one that was never published."""
        program = self.get(tenant, slug, version)
        if program is None:
            program = self._programs[tenant, slug, version] = compile_definition(parse(document), version)
            if len(self._programs) > self._limit:
                del self._programs[next(iter(self._programs))]
        return program
