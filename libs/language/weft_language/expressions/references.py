"""What an expression reads, and what of its arithmetic truncates: known from its syntax alone."""

from __future__ import annotations

from collections.abc import Iterator

from weft_language.expressions import tree
from weft_language.expressions.calls import is_namespaced
from weft_language.expressions.tree import Node
from weft_language.expressions.values import TYPES

Path = tuple[str, ...]
_INT_FUNCTIONS = frozenset(("int", "size", "indexOf", "lastIndexOf"))


def path_of(node: Node) -> Path | None:
    """The keys of a chain such as `step.check["output"]`; None where `node` is anything else."""
    keys: list[str] = []
    while True:
        match node:
            case tree.Name(name=name):
                keys.append(name)
                return tuple(reversed(keys))
            case tree.Select(operand=operand, field=field):
                keys.append(field)
                node = operand
            case tree.Index(operand=operand, key=tree.Literal(value=str() as key)):
                keys.append(key)
                node = operand
            case _:
                return None


def references(root: Node) -> tuple[frozenset[Path], frozenset[Path]]:
    """The paths an expression reads: those that must exist, and those inside of `default(path, ...)` and `has(path)`."""
    required: set[Path] = set()
    optional: set[Path] = set()
    for path, may_miss in _read(root, frozenset(), False):
        (optional if may_miss else required).add(path)
    return frozenset(required), frozenset(optional)


def _read(node: Node, bound: frozenset[str], may_miss: bool) -> Iterator[tuple[Path, bool]]:
    path = path_of(node)
    if path is not None:
        if path[0] not in bound and ".".join(path) not in TYPES:
            yield path, may_miss
        return
    match node:
        case tree.Has(operand=operand):
            yield from _read(operand, bound, True)
        case tree.Default(operand=operand, fallback=fallback):
            yield from _read(operand, bound, True)
            yield from _read(fallback, bound, may_miss)
        case tree.Each(source=source, variables=variables, bodies=bodies):
            yield from _read(source, bound, may_miss)
            for body in bodies:
                yield from _read(body, bound | set(variables), may_miss)
        case tree.Call(target=tree.Name(name=name), function=function, args=args) if name not in bound and is_namespaced(name, function):
            for arg in args:
                yield from _read(arg, bound, may_miss)
        case _:
            for part in tree.children(node):
                yield from _read(part, bound, may_miss)


def divisions(root: Node) -> Iterator[tree.Binary]:
    """The divisions that truncate where both sides are ints: one side surely is, by its syntax, the other may be."""
    if isinstance(root, tree.Binary) and root.operator == "/":
        left, right = _is_int(root.left), _is_int(root.right)
        if (left and right is not False) or (right and left is not False):
            yield root
    for part in tree.children(root):
        yield from divisions(part)


def _is_int(node: Node) -> bool | None:
    """Whether a node gives an int; None where its syntax does not say."""
    match node:
        case tree.Literal(value=value):
            return type(value) is int
        case tree.Call(function=function):
            return True if function in _INT_FUNCTIONS else None if function in ("sum", "round") else False
        case tree.Unary(operator="-", operand=operand):
            return _is_int(operand)
        case tree.Binary(operator="+" | "-" | "*" | "/", left=left, right=right):
            sides = (_is_int(left), _is_int(right))
            return False if False in sides else True if sides == (True, True) else None
        case tree.Name() | tree.Select() | tree.Index() | tree.Conditional() | tree.Default():
            return None
        case _:
            return False
