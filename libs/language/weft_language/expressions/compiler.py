"""Syntax tree to Python closures. What is often written is compiled to one closure: paths, comparisons with constants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from weft_language.expressions import arithmetic, comprehensions, logic, paths, tree
from weft_language.expressions.calls import call
from weft_language.expressions.errors import PATH, ExpressionError
from weft_language.expressions.functions import GLOBALS
from weft_language.expressions.functions.text import pattern
from weft_language.expressions.limits import Frame
from weft_language.expressions.paths import Evaluator, Names
from weft_language.expressions.tree import Node
from weft_language.expressions.values import TYPES


class Compiler:
    """Compiles the tree of one expression.

    text: its source.  slots: places its frame needs behind the count of steps, known after `compile`.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._scope: dict[str, int] = {}
        self.slots = 0

    def compile(self, node: Node) -> Evaluator:
        """The closure of a node and all below it. Raises: ExpressionError (expression_function, expression_value)."""
        return _COMPILE[type(node)](self, node)

    def _literal(self, node: tree.Literal) -> Evaluator:
        value = node.value

        def constant(names: Names, frame: Frame) -> Any:
            return value

        return constant

    def path(self, node: Node) -> tuple[str, ...] | None:
        """The chain of names a node reads from the names in scope, or None where it is something else."""
        keys: list[str] = []
        while True:
            match node:
                case tree.Name(name=name):
                    return None if name in self._scope else (name, *reversed(keys))
                case tree.Select(operand=operand, field=field):
                    keys.append(field)
                    node = operand
                case tree.Index(operand=operand, key=tree.Literal(value=str(key))):
                    keys.append(key)
                    node = operand
                case _:
                    return None

    def _name(self, node: tree.Name) -> Evaluator:
        if node.name in self._scope:
            return paths.read_slot(self._scope[node.name])
        if node.name in TYPES:
            return paths.read_type((node.name,), TYPES[node.name])
        return paths.read_names((node.name,), node.start)

    def _select(self, node: tree.Select) -> Evaluator:
        path = self.path(node)
        if isinstance(node.operand, tree.Name) and node.operand.name in self._scope:
            return paths.read_slot_field(self._scope[node.operand.name], node.operand.name, node.field, node.start)
        if path is None:
            return paths.select(self.compile(node.operand), node.field, self._source(node.operand), node.start)
        name = ".".join(path)
        if name in TYPES:
            return paths.read_type(path, TYPES[name])
        return paths.read_names(path, node.start)

    def _index(self, node: tree.Index) -> Evaluator:
        path = self.path(node)
        if path is not None:
            return paths.read_names(path, node.start)
        return paths.index(self.compile(node.operand), self.compile(node.key), self._source(node.operand), node.start)

    def _has(self, node: tree.Has) -> Evaluator:
        path = self.path(node.operand)
        if path is not None:
            return paths.names_hold(path)
        return _readable(self.compile(node.operand))

    def _default(self, node: tree.Default) -> Evaluator:
        fallback = self.compile(node.fallback)
        path = self.path(node.operand)
        if path is not None:
            return paths.names_or(path, fallback)
        return _or_else(self.compile(node.operand), fallback)

    def _call(self, node: tree.Call) -> Evaluator:
        target = node.target
        _check_pattern(node)
        args = tuple(self.compile(arg) for arg in node.args)
        if target is None:
            return call(node.function, False, args, node.start)
        if isinstance(target, tree.Name) and target.name not in self._scope:
            qualified = f"{target.name}.{node.function}"
            if qualified in GLOBALS:
                return call(qualified, False, args, node.start)
        return call(node.function, True, (self.compile(target), *args), node.start)

    def _list(self, node: tree.ListOf) -> Evaluator:
        items = tuple(self.compile(item) for item in node.items)

        def run(names: Names, frame: Frame) -> list[Any]:
            return [item(names, frame) for item in items]

        return run

    def _map(self, node: tree.MapOf) -> Evaluator:
        entries = ((self.compile(key), self.compile(value), key.start) for key, value in node.entries)
        return comprehensions.build_map(tuple(entries))

    def _logic(self, node: tree.Logic) -> Evaluator:
        operands = tuple(self.compile(operand) for operand in node.operands)
        return logic.chain(node.operator, operands, tuple(operand.start for operand in node.operands))

    def _binary(self, node: tree.Binary) -> Evaluator:
        operator, right = node.operator, node.right
        if operator in ("==", "!="):
            test = self._equality(node)
            return test if operator == "==" else logic.opposite(test)
        left = self.compile(node.left)
        if operator == "in":
            texts = _texts(right)
            if texts is not None:
                return logic.membership_of_texts(left, texts)
            return logic.membership(left, self.compile(right), node.start)
        if operator in logic.ORDERINGS:
            if isinstance(right, tree.Literal) and type(right.value) in (int, float) and abs(right.value) < logic.EXACT:
                return logic.ordering_constant(operator, left, right.value, node.start)
            return logic.ordering(operator, left, self.compile(right), node.start)
        return arithmetic.arithmetic(operator, left, self.compile(right), node.start)

    def _equality(self, node: tree.Binary) -> Evaluator:
        left, right = node.left, node.right
        if isinstance(left, tree.Literal):
            left, right = right, left
        if isinstance(right, tree.Literal):
            return logic.equals_constant(self.compile(left), right.value)
        return logic.equals(self.compile(left), self.compile(right), node.start)

    def _unary(self, node: tree.Unary) -> Evaluator:
        operand = self.compile(node.operand)
        return logic.negation(operand, node.start) if node.operator == "!" else arithmetic.minus(operand, node.start)

    def _conditional(self, node: tree.Conditional) -> Evaluator:
        then, otherwise = self.compile(node.then), self.compile(node.otherwise)
        return logic.conditional(self.compile(node.condition), then, otherwise, node.condition.start)

    def _each(self, node: tree.Each) -> Evaluator:
        source = self.compile(node.source)
        outer = dict(self._scope)
        slots: list[int] = []
        for variable in node.variables:
            self.slots += 1
            slots.append(self.slots)
            self._scope[variable] = self.slots
        bodies = tuple(self.compile(body) for body in node.bodies)
        self._scope = outer
        cost = 1 + sum(body.weight for body in node.bodies)
        return comprehensions.comprehension(comprehensions.Parts(node.kind, source, tuple(slots), bodies, cost, node.start))

    def _source(self, node: Node) -> str:
        return self._text[node.start : node.end]


def _check_pattern(node: tree.Call) -> None:
    """A pattern that is written out is compiled with the expression, so that a wrong one is found when it is saved."""
    if node.function == "matches" and node.args and isinstance(node.args[-1], tree.Literal) and type(node.args[-1].value) is str:
        try:
            pattern(node.args[-1].value)
        except ExpressionError as error:
            raise error.at(node.args[-1].start) from None


def _texts(node: Node) -> frozenset[str] | None:
    """The texts of a list literal that holds nothing else."""
    if not isinstance(node, tree.ListOf):
        return None
    values = [item.value for item in node.items if isinstance(item, tree.Literal) and type(item.value) is str]
    return frozenset(values) if len(values) == len(node.items) else None


def _readable(operand: Evaluator) -> Evaluator:
    def run(names: Names, frame: Frame) -> bool:
        try:
            operand(names, frame)
        except ExpressionError as error:
            if error.code != PATH:
                raise
            return False
        return True

    return run


def _or_else(operand: Evaluator, fallback: Evaluator) -> Evaluator:
    def run(names: Names, frame: Frame) -> Any:
        try:
            return operand(names, frame)
        except ExpressionError as error:
            if error.code != PATH:
                raise
        return fallback(names, frame)

    return run


_COMPILE: Final[dict[type[Node], Callable[[Compiler, Any], Evaluator]]] = {
    tree.Literal: Compiler._literal,
    tree.Name: Compiler._name,
    tree.Select: Compiler._select,
    tree.Index: Compiler._index,
    tree.Has: Compiler._has,
    tree.Default: Compiler._default,
    tree.Call: Compiler._call,
    tree.ListOf: Compiler._list,
    tree.MapOf: Compiler._map,
    tree.Logic: Compiler._logic,
    tree.Binary: Compiler._binary,
    tree.Unary: Compiler._unary,
    tree.Conditional: Compiler._conditional,
    tree.Each: Compiler._each,
}
