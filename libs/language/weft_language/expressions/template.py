"""Templates: JSON values whose texts hold `{{ expression }}`.

A text that is one expression and nothing else gives the expression's value with its type; in any other text each
value is written as `to_text` writes it. `{{{{` stands for a literal `{{`. Keys of objects are taken as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from weft_language.expressions.errors import LIMIT, SYNTAX, TYPE, ExpressionError
from weft_language.expressions.expression import Expression, compile_expression
from weft_language.expressions.limits import DEPTH, RESULT_BYTES
from weft_language.expressions.metering import TOGETHER_STEPS, Meter, take
from weft_language.expressions.wording import to_json, to_text

Names = Mapping[str, Any]
Renderer = Callable[[Names], Any]

_MARK: Final = re.compile(
    # A text that has no end goes to the end of everything, and each character of it can be read in one way only: looked for anew from every
    # quote, or read in two ways, its end would be looked for until nobody is left. Guarded by tests/language/expressions/test_templates.py.
    r'[rR]?"""(?s:\\.|[^\\])*?(?:"""|(?P<a>\\?\Z))'
    r"|[rR]?'''(?s:\\.|[^\\])*?(?:'''|(?P<b>\\?\Z))"
    r'|[rR][bB]?"[^"]*"|[rR][bB]?\'[^\']*\''
    r'|"(?s:\\.|[^"\\])*+(?:"|(?P<c>\\?\Z))'
    r"|'(?s:\\.|[^'\\])*+(?:'|(?P<d>\\?\Z))"
    r"|//[^\n]*|[{}]"
)
"""What matters for finding the end of an expression: texts and comments, which may hold braces, and braces.

Texts without an end are named.
"""
_OPEN: Final = "{{"
_ESCAPED: Final = "{{{{"
_JSON: Final = (type(None), bool, int, float, str, list, dict)


class Template:
    """A compiled template; immutable.

    references, optional_references: of all its expressions, as in `Expression`.
    is_constant: whether it holds no expression, so that it renders to the same value always.
    expressions: each expression with the JSON pointer of the text it stands in, in document order.
    """

    __slots__ = ("_alone", "_render", "expressions", "is_constant", "optional_references", "references")

    def __init__(self, render: Renderer, expressions: tuple[tuple[str, Expression], ...]) -> None:
        self._render = render
        self.expressions = expressions
        self.is_constant = not expressions
        self._alone = len(expressions) < 2
        self.references = frozenset(path for _, one in expressions for path in one.references)
        optional = frozenset(path for _, one in expressions for path in one.optional_references)
        self.optional_references = optional - self.references

    def render(self, names: Names) -> Any:
        """The JSON value with every expression evaluated. Treat it as immutable: constant parts are shared.

        Raises: ExpressionError, located, with the `pointer` of the text it stands in.
        """
        if self._alone:
            return self._render(names)
        with Meter(TOGETHER_STEPS):
            return self._render(names)


def compile_template(value: Any) -> Template:
    """The template of a JSON value.

    Raises: ExpressionError, located, with the `pointer` of the text it stands in: as `compile_expression`, and
    expression_limit where the value is nested over 96 levels.
    """
    found: list[tuple[str, Expression]] = []
    render = _compile(value, "", found, 0)
    return Template(render or _constant(value), tuple(found))


def constant_template(value: Any) -> Template:
    """A template that renders to exactly this value, whatever its texts look like."""
    return Template(_constant(value), ())


def escape(text: str) -> str:
    """A template that renders to exactly this text."""
    return text.replace(_OPEN, _ESCAPED)


def _constant(value: Any) -> Renderer:
    return lambda names: value


def _compile(value: Any, pointer: str, found: list[tuple[str, Expression]], depth: int) -> Renderer | None:
    """What renders a value, or None where it holds no expression and no escape, and so is its own rendering."""
    if type(value) is str:
        return _compile_text(value, pointer, found) if _OPEN in value else None
    if depth >= DEPTH:
        raise ExpressionError(LIMIT, f"a template nested over {DEPTH} levels", pointer=pointer)
    if isinstance(value, Mapping):
        pairs = [(key, _compile(item, f"{pointer}/{_token(key)}", found, depth + 1)) for key, item in value.items()]
        return _object(value, {key: render for key, render in pairs if render})
    if type(value) is list:
        renders = [_compile(item, f"{pointer}/{place}", found, depth + 1) for place, item in enumerate(value)]
        return _array([render or _constant(item) for render, item in zip(renders, value, strict=True)]) if any(renders) else None
    if type(value) not in _JSON:
        raise ExpressionError(TYPE, f"a template is JSON; {type(value).__name__} is none", pointer=pointer)
    return None


def _token(key: Any) -> str:
    return str(key).replace("~", "~0").replace("/", "~1")


def _object(value: Mapping[str, Any], renders: dict[str, Renderer]) -> Renderer | None:
    if not renders:
        return None
    if len(renders) == len(value):
        return lambda names: {key: render(names) for key, render in renders.items()}
    items = [(key, renders.get(key) or _constant(item)) for key, item in value.items()]
    return lambda names: {key: render(names) for key, render in items}


def _array(renders: list[Renderer]) -> Renderer:
    return lambda names: [render(names) for render in renders]


def _compile_text(text: str, pointer: str, found: list[tuple[str, Expression]]) -> Renderer:
    parts = list(_parts(text, pointer))
    found.extend((pointer, part) for part in parts if isinstance(part, Expression))
    if len(parts) == 1 and isinstance(parts[0], Expression):
        return _value(parts[0], pointer)
    return _text(parts, pointer)


def _value(expression: Expression, pointer: str) -> Renderer:
    evaluate = expression.evaluate_json

    def render(names: Names) -> Any:
        try:
            return evaluate(names)
        except ExpressionError as error:
            raise _placed(error, pointer) from None

    return render


def _text(parts: list[str | Expression], pointer: str) -> Renderer:
    def render(names: Names) -> str:
        written: list[str] = []
        left = RESULT_BYTES
        for part in parts:
            if isinstance(part, str):
                text = part
            else:
                try:
                    value = part.evaluate(names)
                    text = to_text(value)
                    if type(value) is list or isinstance(value, Mapping):
                        take(len(text))
                except ExpressionError as error:
                    raise _placed(error.locate(part.text), pointer) from None
            written.append(text)
            left -= len(text)
            if left < 0:
                raise ExpressionError(LIMIT, f"the text is longer than {RESULT_BYTES} characters", pointer=pointer)
        try:
            return str(to_json("".join(written)))
        except ExpressionError as error:
            raise _placed(error, pointer) from None

    return render


def _placed(error: ExpressionError, pointer: str) -> ExpressionError:
    error.pointer = error.pointer or pointer
    return error


def split(text: str) -> list[str | Expression]:
    """The parts of a template text in order, literal texts (unescaped) and expressions. Raises: ExpressionError."""
    return list(_parts(text, ""))


def _parts(text: str, pointer: str) -> Iterator[str | Expression]:
    literal: list[str] = []
    place = 0
    while True:
        start = text.find(_OPEN, place)
        if start < 0:
            break
        literal.append(text[place:start])
        if text.startswith(_ESCAPED, start):
            literal.append(_OPEN)
            place = start + len(_ESCAPED)
            continue
        end = _end(text, start + len(_OPEN), pointer)
        if any(literal):
            yield "".join(literal)
        literal = []
        try:
            yield compile_expression(text[start + len(_OPEN) : end].strip())
        except ExpressionError as error:
            raise _placed(error, pointer) from None
        place = end + len(_OPEN)
    literal.append(text[place:])
    if any(literal):
        yield "".join(literal)


def _end(text: str, start: int, pointer: str) -> int:
    """Where the `}}` stands that closes an expression, past the braces of its maps and texts."""
    depth = 0
    for found in _MARK.finditer(text, start):
        mark = found[0]
        if found.lastgroup is not None:
            closing = text.find("}}", found.start())
            if closing >= 0:
                # What stands before it says what is wrong with it.
                return closing
            break
        if mark == "{":
            depth += 1
        elif mark == "}":
            if depth == 0 and text.startswith("}}", found.start()):
                return found.start()
            depth -= 1
    message = "`{{` without `}}`; write {{{{ for a literal {{"
    raise ExpressionError(SYNTAX, message, expression=text, offset=start, pointer=pointer, position=_position(text, start))


def _position(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1
