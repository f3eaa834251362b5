"""An expression, compiled: what it reads, what it gives, and why."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from weft_language.expressions.compiler import Compiler
from weft_language.expressions.errors import LIMIT, ExpressionError
from weft_language.expressions.explaining import Explanation, explain
from weft_language.expressions.limits import GENERATED_CHARS, SOURCE_CHARS, STEPS
from weft_language.expressions.parser import parse
from weft_language.expressions.references import divisions, references
from weft_language.expressions.tree import Node
from weft_language.expressions.wording import check_size

CACHED: Final = 4096
_SCALARS: Final = frozenset({bool, int, float, type(None)})

Paths = frozenset[tuple[str, ...]]


class Expression:
    """A compiled CEL expression.

    text: its source.  references: the paths it needs, such as `("step", "check", "output")`; a path ends at a computed key.
    optional_references: those it reads only inside `default(...)` or `has(...)`.
    """

    __slots__ = ("_frame", "_root", "_run", "optional_references", "references", "text")

    def __init__(self, text: str, root: Node) -> None:
        """Compile a tree. Raises: ExpressionError."""
        compiler = Compiler(text)
        self.text = text
        self._root = root
        try:
            self._run = compiler.compile(root, {})
        except ExpressionError as error:
            raise error.locate(text) from None
        self._frame = [STEPS, *([None] * compiler.slots)]
        self.references, self.optional_references = references(root)

    def evaluate(self, names: Mapping[str, Any]) -> Any:
        """Its value: a CEL value in Python (see `values`). names: JSON values and times. Raises: ExpressionError and nothing else."""
        try:
            value = self._run(names, self._frame.copy())
            if type(value) not in _SCALARS:
                check_size(value)
        except ExpressionError as error:
            raise error.locate(self.text) from None
        except RecursionError:
            raise ExpressionError(LIMIT, "a value is nested too deep to be worked on", expression=self.text) from None
        return value

    def explain(self, names: Mapping[str, Any]) -> Explanation:
        """What each part of it evaluates to with these names."""
        return explain(self.text, self._root, names)

    @property
    def root(self) -> Node:
        """Its syntax tree."""
        return self._root

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


def compile_expression(text: str) -> Expression:
    """A compiled expression; the same text is compiled once. Raises: ExpressionError, located."""
    return _compiled(text, SOURCE_CHARS)


def compile_generated(text: str) -> Expression:
    """The same for CEL that conditions as data were turned into, which may be longer."""
    return _compiled(text, GENERATED_CHARS)


@lru_cache(maxsize=CACHED)
def _compiled(text: str, limit: int) -> Expression:
    return Expression(text, parse(text, limit))


def int_divisions(expression: Expression) -> list[str]:
    """The divisions that truncate where both sides are ints, as far as the syntax tells. Returns: their source texts."""
    return [expression.text[node.start : node.end] for node in divisions(expression.root)]
