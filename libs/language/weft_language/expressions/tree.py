"""The syntax tree of an expression: small frozen nodes that know their place in the source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

from weft_language.expressions.errors import LIMIT, ExpressionError
from weft_language.expressions.limits import DEPTH


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression.

    start, end: character offsets into the source.  depth: levels below and including this node.
    weight: nodes below and including this node; what evaluating it once costs in steps.
    """

    start: int
    end: int
    depth: int
    weight: int


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A constant: None, bool, int, Uint, float, str or bytes."""

    value: Any


@dataclass(frozen=True, slots=True)
class Name(Node):
    """An identifier: a name in scope, a variable of a comprehension or a type."""

    name: str


@dataclass(frozen=True, slots=True)
class Select(Node):
    """`operand.field`."""

    operand: Node
    field: str


@dataclass(frozen=True, slots=True)
class Index(Node):
    """`operand[key]`."""

    operand: Node
    key: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`function(args)` or `target.function(args)`."""

    function: str
    target: Node | None
    args: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ListOf(Node):
    """`[items]`."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MapOf(Node):
    """`{key: value}`."""

    entries: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """`a && b && c` or `a || b || c`. operator: `&&` or `||`."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """`left operator right`, operator one of `== != < <= > >= in + - * / %`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """`!operand` or `-operand`."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    """`condition ? then : otherwise`."""

    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Has(Node):
    """`has(path)`."""

    operand: Select | Index


@dataclass(frozen=True, slots=True)
class Default(Node):
    """`default(path, value)`."""

    operand: Node
    fallback: Node


@dataclass(frozen=True, slots=True)
class Each(Node):
    """A comprehension: `source.kind(variables, bodies)`.

    kind: `all`, `exists`, `existsOne`, `map`, `filter`, `sortBy`, `transformList` or `transformMap`.
    variables: one (the item, or the key of a map) or two (index or key, and item).
    bodies: the transform or predicate; for a `map` or `transform…` with a filter, the filter and then the transform.
    """

    kind: str
    source: Node
    variables: tuple[str, ...]
    bodies: tuple[Node, ...]


class Placed(Protocol):
    """What says where something stands: the parser's own position record, or a `Place`."""

    @property
    def start_pos(self) -> int:
        """Offset of its first character."""

    @property
    def end_pos(self) -> int:
        """Offset behind its last character."""


class Place(NamedTuple):
    """A stretch of source: offsets of its first character and behind its last."""

    start_pos: int
    end_pos: int


N = TypeVar("N", bound=Node)


def build(kind: type[N], place: Placed, *fields: Any, below: tuple[Node, ...] = ()) -> N:
    """A node of `kind` over the nodes `below`. Raises: ExpressionError (expression_limit) when nested too deep."""
    depth = weight = 0
    for node in below:
        depth = max(depth, node.depth)
        weight += node.weight
    if depth >= DEPTH:
        raise ExpressionError(LIMIT, f"the expression is nested over {DEPTH} levels", offset=place.start_pos)
    return kind(place.start_pos, place.end_pos, depth + 1, weight + 1, *fields)


def children(node: Node) -> tuple[Node, ...]:
    """The direct parts of a node, in source order."""
    match node:
        case Select(operand=operand) | Unary(operand=operand) | Has(operand=operand):
            return (operand,)
        case Index(operand=operand, key=key):
            return (operand, key)
        case Call(target=target, args=args):
            return args if target is None else (target, *args)
        case ListOf(items=items):
            return items
        case MapOf(entries=entries):
            return tuple(part for entry in entries for part in entry)
        case Logic(operands=operands):
            return operands
        case Binary(left=left, right=right):
            return (left, right)
        case Conditional(condition=condition, then=then, otherwise=otherwise):
            return (condition, then, otherwise)
        case Default(operand=operand, fallback=fallback):
            return (operand, fallback)
        case Each(source=source, bodies=bodies):
            return (source, *bodies)
        case _:
            return ()
