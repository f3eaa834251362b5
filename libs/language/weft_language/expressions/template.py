"""Templates: JSON values whose texts may hold `{{ expression }}`.

A text that is one expression from end to end keeps the expression's type; in any other text each value is written out. An expression ends
at the first `}}` up to which it is CEL, so maps and texts in it may hold braces. A literal `{{` is written as `{{ '{{' }}`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from weft_language.expressions.errors import LIMIT, SYNTAX, ExpressionError
from weft_language.expressions.expression import Expression, Paths, compile_expression
from weft_language.expressions.limits import DEPTH, RESULT_BYTES
from weft_language.expressions.wording import to_json, to_text

Render = Callable[[Mapping[str, Any]], Any]
MAX_ENDS: Final = 20
"""How many `}}` are tried as the end of one expression."""


class Template:
    """A compiled template. references, optional_references: of all its expressions.  is_constant: it has none."""

    __slots__ = ("_render", "is_constant", "optional_references", "references")

    def __init__(self, render: Render, expressions: list[Expression]) -> None:
        self._render = render
        self.is_constant = not expressions
        self.references: Paths = frozenset().union(*(one.references for one in expressions))
        self.optional_references: Paths = frozenset().union(*(one.optional_references for one in expressions))

    def render(self, names: Mapping[str, Any]) -> Any:
        """The value, plain JSON. names: as for `Expression.evaluate`. Raises: ExpressionError, with the pointer of the text."""
        return self._render(names)


def compile_template(value: Any) -> Template:
    """Compile any JSON value. Raises: ExpressionError, with the pointer of the text it stands in."""
    expressions: list[Expression] = []
    render = _compile(value, "", expressions, 0)
    return Template(render if render is not None else _constant(value), expressions)


def _constant(value: Any) -> Render:
    return lambda names: value


def _compile(value: Any, pointer: str, expressions: list[Expression], depth: int) -> Render | None:
    """What renders a value, None when it is constant."""
    if isinstance(value, str):
        return _text(value, pointer, expressions) if "{{" in value else None
    if not isinstance(value, (dict, list)):
        return None
    if depth > DEPTH:
        raise ExpressionError(LIMIT, f"a template is nested over {DEPTH} levels", pointer=pointer)
    if isinstance(value, dict):
        parts = {key: _compile(item, f"{pointer}/{_escaped(str(key))}", expressions, depth + 1) for key, item in value.items()}
        moving = {key: part for key, part in parts.items() if part is not None}
        return _object(value, moving) if moving else None
    listed = [_compile(item, f"{pointer}/{place}", expressions, depth + 1) for place, item in enumerate(value)]
    return _list(value, listed) if any(part is not None for part in listed) else None


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _object(value: dict[str, Any], moving: dict[str, Render]) -> Render:
    def render(names: Mapping[str, Any]) -> dict[str, Any]:
        return {key: moving[key](names) if key in moving else item for key, item in value.items()}

    return render


def _list(value: list[Any], parts: list[Render | None]) -> Render:
    def render(names: Mapping[str, Any]) -> list[Any]:
        return [item if part is None else part(names) for item, part in zip(value, parts, strict=True)]

    return render


def _text(text: str, pointer: str, expressions: list[Expression]) -> Render:
    pieces = _pieces(text, pointer)
    found = [piece for piece in pieces if isinstance(piece, Expression)]
    expressions.extend(found)
    if len(pieces) == 1 and found:
        return _whole(found[0], pointer)
    return _joined(pieces, pointer)


def _whole(expression: Expression, pointer: str) -> Render:
    def render(names: Mapping[str, Any]) -> Any:
        try:
            return to_json(expression.evaluate(names))
        except ExpressionError as error:
            raise _located(error, expression, pointer) from None

    return render


def _joined(pieces: list[str | Expression], pointer: str) -> Render:
    def render(names: Mapping[str, Any]) -> str:
        out: list[str] = []
        size = 0
        for piece in pieces:
            if isinstance(piece, str):
                part = piece
            else:
                try:
                    part = str(to_json(to_text(piece.evaluate(names))))
                except ExpressionError as error:
                    raise _located(error, piece, pointer) from None
            size += len(part)
            if size > RESULT_BYTES:
                raise ExpressionError(LIMIT, f"the text is longer than {RESULT_BYTES} characters", pointer=pointer)
            out.append(part)
        return "".join(out)

    return render


def _located(error: ExpressionError, expression: Expression, pointer: str) -> ExpressionError:
    error.locate(expression.text)
    error.pointer = pointer
    return error


def _pieces(text: str, pointer: str) -> list[str | Expression]:
    pieces: list[str | Expression] = []
    at = 0
    while (opened := text.find("{{", at)) >= 0:
        if opened > at:
            pieces.append(text[at:opened])
        expression, at = _expression(text, opened + 2, pointer)
        pieces.append(expression)
    if at < len(text):
        pieces.append(text[at:])
    return pieces


def _expression(text: str, start: int, pointer: str) -> tuple[Expression, int]:
    """The expression that begins at `start`, and where the text goes on behind its `}}`."""
    end = text.find("}}", start)
    if end < 0:
        raise ExpressionError(
            SYNTAX, "`{{` is never closed by `}}`; for the braces themselves write {{ '{{' }}", expression=text[:200], pointer=pointer
        )
    first: ExpressionError | None = None
    for _ in range(MAX_ENDS):
        try:
            return compile_expression(text[start:end].strip()), end + 2
        except ExpressionError as error:
            first = first or error
            first.pointer = pointer
        end = text.find("}}", end + 1)
        if end < 0 or first.code != SYNTAX:
            break
    raise first or ExpressionError(SYNTAX, "no `}}` closes the expression", pointer=pointer)
