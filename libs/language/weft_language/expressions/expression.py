"""Expressions: compiled once, kept, evaluated many times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from weft_language.expressions.compiler import Compiler
from weft_language.expressions.effort import Effort
from weft_language.expressions.errors import LIMIT, TYPE, ExpressionError
from weft_language.expressions.explain import Explanation, TracingCompiler
from weft_language.expressions.limits import GENERATED_CHARS, RESULT_BYTES, SOURCE_CHARS, STEPS, Frame, new_frame
from weft_language.expressions.metering import take
from weft_language.expressions.parser import parse
from weft_language.expressions.references import divisions, references
from weft_language.expressions.results import check_size, result_json
from weft_language.expressions.tree import Node

_CACHED: Final = 4096
_SMALL: Final = frozenset({bool, int, float, type(None)})


class Expression:
    """A compiled CEL expression; immutable, and safe to use from many tasks at once.

    text: its source.
    references: the paths it reads, such as ("step", "classify", "output", "label"); see `references.references`.
    optional_references: the paths that may be missing, because `has` or `default` takes care of them.
    """

    __slots__ = ("_frame", "_root", "_run", "optional_references", "references", "text")

    def __init__(self, text: str, root: Node) -> None:
        self.text = text
        self._root = root
        compiler = Compiler(text)
        self._run = compiler.compile(root)
        self._frame: Frame = new_frame(compiler.slots)
        self.references, self.optional_references = references(root)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    @property
    def tree(self) -> Node:
        """Its syntax tree, for what judges an expression without evaluating it."""
        return self._root

    def evaluate(self, names: Mapping[str, Any]) -> Any:
        """The value of the expression.

        names: what it may read, plain JSON values and aware datetimes; any Mapping, only the paths that are read are
          touched. Parts of the names may be returned as they are: treat the result as immutable.
        Raises: ExpressionError, located.
        """
        frame = self._frame.copy()
        try:
            try:
                value = self._run(names, frame)
                kind = type(value)
                if kind not in _SMALL and (kind is not str or len(value) > RESULT_BYTES):
                    check_size(value, frame)
            finally:
                if frame[0] != STEPS:
                    take(STEPS - frame[0])
        except ExpressionError as error:
            raise error.locate(self.text) from None
        except RecursionError:
            raise _too_deep(self.text) from None
        return value

    def evaluate_json(self, names: Mapping[str, Any]) -> Any:
        """The value of the expression as JSON, as `to_json` gives it. Parameters and errors as `evaluate`."""
        frame = self._frame.copy()
        try:
            try:
                return result_json(self._run(names, frame), frame)
            finally:
                if frame[0] != STEPS:
                    take(STEPS - frame[0])
        except ExpressionError as error:
            raise error.locate(self.text) from None
        except RecursionError:
            raise _too_deep(self.text) from None

    def reads(self, name: str) -> bool:
        """Whether it reads anything of a name in scope, such as `vars`."""
        return any(path[0] == name for path in (*self.references, *self.optional_references))

    def test(self, names: Mapping[str, Any]) -> bool:
        """The value of a condition. Raises: ExpressionError, also (expression_type) where it is neither true nor false."""
        value = self.evaluate(names)
        if value is True or value is False:
            return bool(value)
        kind = "null" if value is None else type(value).__name__
        raise ExpressionError(TYPE, f"a condition gives true or false, not {kind}", expression=self.text)

    def explain(self, names: Mapping[str, Any], effort: Effort | None = None) -> Explanation:
        """Evaluate, and tell what each part gave. Never raises ExpressionError: the explanation carries it.

        effort: what it is evaluated with, which it takes its steps from; alone where absent.
        """
        compiler = TracingCompiler(self.text)
        run = compiler.compile(self._root)
        frame = new_frame(compiler.slots)
        allowed = frame[0] = STEPS if effort is None else max(0, min(STEPS, effort.steps))
        try:
            value = run(names, frame)
            check_size(value)
        except ExpressionError as error:
            spent_all = frame[0] < 0 and allowed < STEPS
            failed: ExpressionError | None = _too_costly(self.text) if spent_all else error.locate(self.text)
        except RecursionError:
            failed = _too_deep(self.text)
        else:
            failed = None
        if effort is not None:
            effort.steps -= allowed - frame[0]
        top = compiler.top.children[0] if compiler.top.children else Explanation(self.text)
        top.error, top.value = failed, None if failed else value
        return top


def _too_costly(text: str) -> ExpressionError:
    message = "to evaluate this once more takes too long beside the other conditions that are explained here; ask for fewer of them"
    return ExpressionError(LIMIT, message, expression=text)


def _too_deep(text: str) -> ExpressionError:
    return ExpressionError(LIMIT, "the expression goes too deep to be evaluated here", expression=text)


@lru_cache(maxsize=_CACHED)
def compile_expression(text: str) -> Expression:
    """The compiled expression; the last 4096 are kept.

    text: CEL, at most 4096 characters.
    Raises: ExpressionError, located: expression_syntax, expression_limit, expression_function.
    """
    return build_expression(text, SOURCE_CHARS)


def build_expression(text: str, limit: int) -> Expression:
    """Compile without keeping. limit: greatest length, characters. Raises: as `compile_expression`."""
    root = parse(text, limit)
    try:
        return Expression(text, root)
    except ExpressionError as error:
        raise error.locate(text) from None


def join_all(parts: Sequence[Expression]) -> Expression | None:
    """The expression that holds when all of these do, None of none. Raises: as `compile_expression`."""
    if len(parts) < 2:
        return parts[0] if parts else None
    # A comment ends with its line, so the bracket stands on the next.
    return build_expression(" && ".join(f"({part.text}\n)" for part in parts), GENERATED_CHARS)


def int_divisions(expression: Expression) -> tuple[str, ...]:
    """The divisions of an expression that truncate when both sides are ints, as source text; empty when none may."""
    return tuple(expression.text[node.start : node.end] for node in divisions(expression._root))
