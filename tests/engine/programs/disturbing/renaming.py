"""The same program by other names, as another version: whoever goes on by it does the same."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from weft_language import compile_definition
from weft_language.compilation import Program
from weft_language.model import Definition

from tests.engine.programs.generating.maker import Document
from tests.engine.programs.shadow.frames import Layout

MARK = "_again"
KEPT = frozenset({"publish", "call"})
"""What others know by the names and visits of its nodes: the ids of events and of called executions follow from them."""


def plain(node: str) -> str:
    """What a node is called in the first version, whatever it is called now."""
    name, dot, rest = node.partition(".")
    return f"{name.removesuffix(MARK)}{dot}{rest}"


class Versions:
    """The odd versions of a program call its nodes as it does, the even ones otherwise."""

    def __init__(self, document: Document) -> None:
        self._document = document

    @cached_property
    def names(self) -> dict[str, str]:
        """What is called otherwise, by what it is called."""
        return {node: f"{node}{MARK}" for node, about in Layout(self._document).nodes.items() if about["type"] not in KEPT}

    def program(self, version: int) -> Program:
        """One version."""
        return self._programs.setdefault(version, self._compiled(version))

    def mapping(self, version: int) -> Mapping[str, str]:
        """The way to a version from the one before."""
        return self.names if version % 2 == 0 else {other: name for name, other in self.names.items()}

    @cached_property
    def _programs(self) -> dict[int, Program]:
        return {}

    def _compiled(self, version: int) -> Program:
        document: Any = self._document
        if version % 2 == 0:
            words = "|".join(map(re.escape, self.names))
            text = json.dumps(document)
            document = json.loads(re.sub(rf"\b({words})\b", lambda found: self.names[found[0]], text) if words else text)
        return compile_definition(Definition.model_validate(document), version)
