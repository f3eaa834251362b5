"""What a condition compares for equality: the terms of its conjunction by which something can be looked up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from weft_language.expressions import tree
from weft_language.expressions.expression import Expression, build_expression
from weft_language.expressions.limits import GENERATED_CHARS
from weft_language.expressions.parser import parse


@dataclass(frozen=True, slots=True)
class Equality:
    """One term `path == value`, written either way round, that must hold for the whole to hold.

    path: names only, such as ("event", "data", "order").  rest: the other terms together, None where there are none.
    """

    path: tuple[str, ...]
    value: Expression
    rest: Expression | None


def equalities(condition: Expression) -> Iterator[Equality]:
    """The equality terms of a condition, in the order in which they are written."""
    terms = list(_terms(parse(condition.text, GENERATED_CHARS)))
    for place, term in enumerate(terms):
        if not isinstance(term, tree.Binary) or term.operator != "==":
            continue
        for read, other in ((term.left, term.right), (term.right, term.left)):
            path = _path(read)
            if path is not None:
                rest = [condition.text[one.start : one.end] for one in (*terms[:place], *terms[place + 1 :])]
                yield Equality(path, _expression([condition.text[other.start : other.end]]), _expression(rest) if rest else None)


def _terms(node: tree.Node) -> Iterator[tree.Node]:
    if isinstance(node, tree.Logic) and node.operator == "&&":
        for operand in node.operands:
            yield from _terms(operand)
    else:
        yield node


def _expression(terms: list[str]) -> Expression:
    # The newline ends a comment that a term may hold.
    return build_expression(" && ".join(f"({term}\n)" for term in terms), GENERATED_CHARS)


def _path(node: tree.Node) -> tuple[str, ...] | None:
    keys: list[str] = []
    while True:
        match node:
            case tree.Name(name=name):
                return (name, *reversed(keys))
            case tree.Select(operand=operand, field=field):
                keys.append(field)
            case tree.Index(operand=operand, key=tree.Literal(value=str(value))):
                keys.append(value)
            case _:
                return None
        node = operand
