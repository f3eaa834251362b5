"""Source text to syntax tree: lark recognises, the builder makes nodes, bottom up and without recursion."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from lark import Token
from lark.exceptions import UnexpectedInput, UnexpectedToken, VisitError
from lark.visitors import Transformer_NonRecursive, v_args

from weft_language.expressions import literals, macros, tree
from weft_language.expressions.errors import FUNCTION, LIMIT, SYNTAX, ExpressionError
from weft_language.expressions.grammar import parser
from weft_language.expressions.limits import INT_MAX, SOURCE_CHARS
from weft_language.expressions.tree import Node, build

_CONSTANTS: Final = {"true": True, "false": False, "null": None}
_RESERVED: Final = frozenset(
    [
        "as",
        "break",
        "const",
        "continue",
        "else",
        "for",
        "function",
        "if",
        "import",
        "let",
        "loop",
        "package",
        "namespace",
        "return",
        "var",
        "void",
        "while",
    ]
)


def parse(text: str, limit: int = SOURCE_CHARS) -> Node:
    """The syntax tree of an expression.

    limit: greatest length, characters.
    Raises: ExpressionError, located, with code expression_syntax, expression_limit or expression_function.
    """
    if len(text) > limit:
        message = f"an expression of {len(text)} characters is over the limit of {limit}; split it over several steps"
        raise ExpressionError(LIMIT, message, expression=text[:100], position=(1, 1))
    try:
        root: Node = _BUILDER.transform(parser().parse(text))
        _refuse_bare(root)
    except UnexpectedInput as error:
        raise _syntax(error, text).locate(text) from None
    except VisitError as error:
        if isinstance(error.orig_exc, ExpressionError):
            raise error.orig_exc.at(_offset(error.obj)).locate(text) from None
        raise
    except ExpressionError as error:
        raise error.locate(text) from None
    return root


def _offset(where: Any) -> int:
    return int(where.meta.start_pos)


def _syntax(error: UnexpectedInput, text: str) -> ExpressionError:
    offset = error.pos_in_stream if error.pos_in_stream is not None else len(text)
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        what = "the expression ends too early" if text.strip() else "the expression is empty"
        return ExpressionError(SYNTAX, what, offset=len(text))
    found = str(error.token) if isinstance(error, UnexpectedToken) else text[offset : offset + 1]
    hint = {
        "=": "; compare with ==",
        "&": "; write && for and",
        "|": "; write || for or",
        "'": "; the text is not closed",
        '"': "; the text is not closed",
        "and": "; write && for and",
        "or": "; write || for or",
        "not": "; write ! for not",
    }.get(found, "")
    return ExpressionError(SYNTAX, f"unexpected {found!r}{hint}", offset=offset)


def _refuse_bare(*nodes: Node) -> None:
    """2**63 is an int only behind a minus, which takes it before it comes here."""
    for node in nodes:
        if isinstance(node, tree.Literal) and type(node.value) is int and node.value > INT_MAX:
            raise ExpressionError(SYNTAX, f"{node.value} does not fit a 64-bit integer", offset=node.start)


@v_args(meta=True)
class _Builder(Transformer_NonRecursive[Token, Node]):
    """A node for each thing the grammar names; the methods are called by those names."""

    def parens(self, meta: Any, parts: list[Node]) -> Node:
        return replace(parts[0], start=meta.start_pos, end=meta.end_pos)

    def name(self, meta: Any, parts: list[Token]) -> Node:
        word = str(parts[0])
        if word in _RESERVED:
            raise ExpressionError(SYNTAX, f"`{word}` is a reserved word", offset=meta.start_pos)
        return build(tree.Name, meta, word)

    def field(self, meta: Any, parts: list[Token]) -> str:
        return str(parts[0]).strip("`")

    def select(self, meta: Any, parts: list[Any]) -> Node:
        _refuse_bare(parts[0])
        return build(tree.Select, meta, parts[0], parts[1], below=(parts[0],))

    def index(self, meta: Any, parts: list[Node]) -> Node:
        _refuse_bare(*parts)
        return build(tree.Index, meta, *parts, below=tuple(parts))

    def args(self, meta: Any, parts: list[Node]) -> tuple[Node, ...]:
        _refuse_bare(*parts)
        return tuple(parts)

    def call(self, meta: Any, parts: list[Any]) -> Node:
        return macros.call(meta, str(parts[0]), parts[1])

    def method(self, meta: Any, parts: list[Any]) -> Node:
        _refuse_bare(parts[0])
        return macros.method(meta, parts[0], str(parts[1]), parts[2])

    def message(self, meta: Any, parts: list[Any]) -> Node:
        hint = "messages are not part of this language; write a map: {'key': value}"
        raise ExpressionError(FUNCTION, hint, offset=meta.start_pos)

    def entry(self, meta: Any, parts: list[Node]) -> tuple[Node, ...]:
        _refuse_bare(*parts)
        return tuple(parts)

    def map_of(self, meta: Any, parts: list[tuple[Node, Node]]) -> Node:
        return build(tree.MapOf, meta, tuple(parts), below=tuple(node for pair in parts for node in pair))

    def list_of(self, meta: Any, parts: list[Node]) -> Node:
        _refuse_bare(*parts)
        return build(tree.ListOf, meta, tuple(parts), below=tuple(parts))

    def either(self, meta: Any, parts: list[Node]) -> Node:
        return build(tree.Logic, meta, "||", tuple(parts), below=tuple(parts))

    def both(self, meta: Any, parts: list[Node]) -> Node:
        return build(tree.Logic, meta, "&&", tuple(parts), below=tuple(parts))

    def binary(self, meta: Any, parts: list[Any]) -> Node:
        left, operator, right = parts
        _refuse_bare(left, right)
        return build(tree.Binary, meta, str(operator), left, right, below=(left, right))

    def conditional(self, meta: Any, parts: list[Node]) -> Node:
        _refuse_bare(*parts)
        return build(tree.Conditional, meta, *parts, below=tuple(parts))

    def repeated(self, meta: Any, parts: list[Any]) -> Node:
        """Two of the same sign cancel out before anything is evaluated, as in the reference parser."""
        node: Node = parts[-1]
        sign = str(parts[0])
        if len(parts) % 2:
            _refuse_bare(node)
            return replace(node, start=meta.start_pos, end=meta.end_pos)
        if sign == "-" and isinstance(node, tree.Literal) and type(node.value) in (int, float):
            return build(tree.Literal, meta, -node.value)
        return build(tree.Unary, meta, sign, node, below=(node,))

    def int_literal(self, meta: Any, parts: list[Token]) -> Node:
        return build(tree.Literal, meta, literals.integer(parts[0]))

    def uint_literal(self, meta: Any, parts: list[Token]) -> Node:
        return build(tree.Literal, meta, literals.unsigned(parts[0]))

    def float_literal(self, meta: Any, parts: list[Token]) -> Node:
        return build(tree.Literal, meta, literals.floating(parts[0]))

    def text_literal(self, meta: Any, parts: list[Token]) -> Node:
        return build(tree.Literal, meta, literals.text(parts[0]))

    def bytes_literal(self, meta: Any, parts: list[Token]) -> Node:
        return build(tree.Literal, meta, literals.octets(parts[0]))

    def constant(self, meta: Any, parts: list[Token]) -> Node:
        return build(tree.Literal, meta, _CONSTANTS[parts[0]])


_BUILDER: Final = _Builder()
