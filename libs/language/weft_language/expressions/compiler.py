"""Syntax tree to closures, once; evaluating is then calling them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from weft_language.expressions import arithmetic, calls, comprehensions, logic, paths, tree
from weft_language.expressions.errors import TYPE, ExpressionError
from weft_language.expressions.limits import Frame, spend
from weft_language.expressions.paths import Evaluator, Names
from weft_language.expressions.tree import Node
from weft_language.expressions.values import TYPES, Uint, key_of, spoken

Variables = Mapping[str, int]
"""The variables of the comprehensions around a node, by name, with their slots in the frame."""


class Compiler:
    """Compiles the nodes of one expression. slots: how many slots its frame needs beside the steps."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.slots = 0

    def compile(self, node: Node, variables: Variables) -> Evaluator:
        """The closure of a node. Raises: ExpressionError (expression_function)."""
        path = path_of(node, variables)
        if path is not None:
            return self._path(path, node)
        match node:
            case tree.Literal(value=value):
                return _constant(value)
            case tree.Name(name=name):
                return paths.read_slot(variables[name])
            case tree.Select(operand=operand, field=field):
                return paths.select(self.compile(operand, variables), field, self._source(operand), node.start)
            case tree.Index(operand=operand, key=key):
                return paths.index(self.compile(operand, variables), self.compile(key, variables), self._source(operand), node.start)
            case tree.Call():
                return self._call(node, variables)
            case tree.Each():
                return self._each(node, variables)
            case tree.Has(operand=operand):
                return self._has(operand, variables)
            case tree.Default():
                return self._default(node, variables)
            case tree.ListOf(items=items):
                return _list_of(tuple(self.compile(item, variables) for item in items))
            case tree.MapOf(entries=entries):
                return _map_of(tuple((self.compile(key, variables), self.compile(value, variables)) for key, value in entries), node.start)
            case _:
                return self._operator(node, variables)

    def _source(self, node: Node) -> str:
        return self._text[node.start : node.end]

    def _path(self, path: tuple[str, ...], node: Node) -> Evaluator:
        constant = TYPES.get(".".join(path))
        if constant is not None:
            return paths.read_type(path, constant)
        return paths.read_names(path, node.start)

    def _operator(self, node: Node, variables: Variables) -> Evaluator:
        match node:
            case tree.Logic(operator=operator, operands=operands):
                return logic.chain(operator, tuple(self.compile(one, variables) for one in operands), tuple(one.start for one in operands))
            case tree.Unary(operator="!", operand=operand):
                return logic.negation(self.compile(operand, variables), node.start)
            case tree.Unary(operand=operand):
                return arithmetic.minus(self.compile(operand, variables), node.start)
            case tree.Conditional(condition=condition, then=then, otherwise=otherwise):
                ask, yes, no = (self.compile(part, variables) for part in (condition, then, otherwise))
                return logic.conditional(ask, yes, no, node.start)
            case tree.Binary():
                return self._binary(node, variables)
        raise TypeError(f"no node of an expression: {node!r}")

    def _binary(self, node: tree.Binary, variables: Variables) -> Evaluator:
        operator, right = node.operator, node.right
        left = self.compile(node.left, variables)
        if operator in ("==", "!="):
            if isinstance(right, tree.Literal):
                test = logic.equals_constant(left, right.value)
            else:
                test = logic.equals(left, self.compile(right, variables), node.start)
            return test if operator == "==" else logic.opposite(test)
        if operator in logic.ORDERINGS:
            if isinstance(right, tree.Literal) and type(right.value) in (int, float):
                return logic.ordering_constant(operator, left, right.value, node.start)
            return logic.ordering(operator, left, self.compile(right, variables), node.start)
        if operator == "in":
            texts = _texts(right)
            if texts is not None:
                return logic.membership_of_texts(left, texts)
            return logic.membership(left, self.compile(right, variables), node.start)
        return arithmetic.arithmetic(operator, left, self.compile(right, variables), node.start)

    def _call(self, node: tree.Call, variables: Variables) -> Evaluator:
        args = tuple(self.compile(arg, variables) for arg in node.args)
        if node.target is None:
            return calls.global_call(node.function, args, node.start)
        if isinstance(node.target, tree.Name) and calls.is_namespaced(node.target.name, node.function):
            return calls.global_call(f"{node.target.name}.{node.function}", args, node.start)
        return calls.method_call(node.function, self.compile(node.target, variables), args, node.start)

    def _each(self, node: tree.Each, variables: Variables) -> Evaluator:
        source = self.compile(node.source, variables)
        first = self.slots + 1
        self.slots += len(node.variables)
        slots = tuple(range(first, self.slots + 1))
        inside = {**variables, **dict(zip(node.variables, slots, strict=True))}
        bodies = tuple(self.compile(body, inside) for body in node.bodies)
        cost = 1 + sum(body.weight for body in node.bodies)
        return comprehensions.comprehension(node.kind, source, slots, bodies, cost, node.start)

    def _has(self, operand: tree.Select | tree.Index, variables: Variables) -> Evaluator:
        path = path_of(operand, variables)
        if path is not None:
            return paths.names_hold(path)
        return _readable(self.compile(operand, variables))

    def _default(self, node: tree.Default, variables: Variables) -> Evaluator:
        fallback = self.compile(node.fallback, variables)
        path = path_of(node.operand, variables)
        if path is not None:
            return paths.names_or(path, fallback)
        return _otherwise(self.compile(node.operand, variables), fallback)


def path_of(node: Node, variables: Variables) -> tuple[str, ...] | None:
    """The chain of constant keys a node reads from the names in scope, None when it is anything else."""
    keys: list[str] = []
    while True:
        match node:
            case tree.Select(operand=operand, field=field):
                keys.append(field)
                node = operand
            case tree.Index(operand=operand, key=tree.Literal(value=str() as key)):
                keys.append(key)
                node = operand
            case tree.Name(name=name) if name not in variables:
                return (name, *reversed(keys))
            case _:
                return None


def _constant(value: Any) -> Evaluator:
    def run(names: Names, frame: Frame) -> Any:
        return value

    return run


def _texts(node: Node) -> frozenset[str] | None:
    if not isinstance(node, tree.ListOf) or not all(isinstance(item, tree.Literal) and type(item.value) is str for item in node.items):
        return None
    return frozenset(item.value for item in node.items if isinstance(item, tree.Literal))


def _list_of(items: tuple[Evaluator, ...]) -> Evaluator:
    def run(names: Names, frame: Frame) -> list[Any]:
        return [item(names, frame) for item in items]

    return run


def _map_of(entries: tuple[tuple[Evaluator, Evaluator], ...], start: int) -> Evaluator:
    def run(names: Names, frame: Frame) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for key, value in entries:
            given = key(names, frame)
            if type(given) not in (str, int, Uint, bool):
                raise ExpressionError(TYPE, f"the key of a map is a text, an int, a uint or a bool, not {spoken(given)}", offset=start)
            stored = key_of(given)
            if stored in made:
                raise ExpressionError(TYPE, f"the key {str(given)[:60]!r} stands twice in a map", offset=start)
            made[stored] = value(names, frame)
        spend(frame, len(made))
        return made

    return run


def _readable(operand: Evaluator) -> Evaluator:
    def run(names: Names, frame: Frame) -> bool:
        try:
            operand(names, frame)
        except ExpressionError as error:
            if error.code == "expression_path":
                return False
            raise
        return True

    return run


def _otherwise(operand: Evaluator, fallback: Evaluator) -> Evaluator:
    def run(names: Names, frame: Frame) -> Any:
        try:
            return operand(names, frame)
        except ExpressionError as error:
            if error.code == "expression_path":
                return fallback(names, frame)
            raise

    return run
