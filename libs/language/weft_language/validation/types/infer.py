"""What an expression gives, and what in it certainly goes wrong because of the kinds of values it works on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from weft_language.expressions import Expression, tree
from weft_language.expressions.functions import GLOBALS
from weft_language.expressions.tree import Node, children
from weft_language.expressions.values import TYPES
from weft_language.validation.types.kinds import ANY, BOOL, INT, LIST, TEXT, Type, a_list, a_map, either, texts
from weft_language.validation.types.operators import accepts, calculated, comparable, given_by, kind_of, may_equal

_ORDERINGS: Final = frozenset({"<", "<=", ">", ">="})
_ANSWERS: Final = frozenset({"all", "exists", "existsOne"})
_MAX_LISTED: Final = 50

FaultKind = Literal["type", "member", "path", "equality"]
Scope = Mapping[str, Type]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong. certain: whenever the expression is evaluated.  known: what would have been right, for a proposal."""

    kind: FaultKind
    message: str
    certain: bool
    name: str = ""
    known: tuple[str, ...] = ()


class Inference:
    """Works out one expression. names: the type of a name in scope; ANY for one that nobody knows."""

    def __init__(self, expression: Expression, names: Callable[[str], Type]) -> None:
        self._text = expression.text
        self._names = names
        self._quiet = 0
        self.faults: list[Fault] = []
        self.type = self._of(expression.tree, {}, sure=True)

    def _of(self, node: Node, scope: Scope, *, sure: bool, cared: bool = False) -> Type:
        """The type of a part. sure: it is evaluated whenever the whole is.  cared: its absence is taken care of."""
        match node:
            case tree.Literal(value=value):
                return texts([value]) if type(value) is str else Type(kind_of(value))
            case tree.Name(name=name):
                return self._name(name, scope)
            case tree.Select(operand=operand, field=field):
                return self._member(node, self._of(operand, scope, sure=sure, cared=cared), field, sure=sure, cared=cared)
            case tree.Index(operand=operand, key=key):
                return self._index(node, operand, key, scope, sure=sure, cared=cared)
            case tree.Call():
                return self._call(node, scope, sure=sure)
            case tree.Binary():
                return self._binary(node, scope, sure=sure)
            case tree.Each():
                return self._each(node, scope, sure=sure)
            case tree.Has(operand=operand):
                self._of(operand, scope, sure=False, cared=True)
                return BOOL
            case tree.Default(operand=operand, fallback=fallback):
                return either(self._of(operand, scope, sure=False, cared=True), self._of(fallback, scope, sure=False))
            case _:
                return self._choice(node, scope, sure=sure)

    def _choice(self, node: Node, scope: Scope, *, sure: bool) -> Type:
        match node:
            case tree.Logic(operator=operator, operands=operands):
                asked = any(map(_asks_for_type, operands))
                self._quiet += asked
                for operand in operands:
                    self._condition(operand, f"`{operator}` joins", scope, sure=False)
                self._quiet -= asked
                return BOOL
            case tree.Conditional(condition=condition, then=then, otherwise=otherwise):
                self._condition(condition, "`?` asks for", scope, sure=sure)
                asked = _asks_for_type(condition)
                self._quiet += asked
                found = either(self._of(then, scope, sure=False), self._of(otherwise, scope, sure=False))
                self._quiet -= asked
                return found
            case tree.Unary(operator="!", operand=operand):
                self._condition(operand, "`!` negates", scope, sure=sure)
                return BOOL
            case tree.Unary(operand=operand):
                inner = self._of(operand, scope, sure=sure)
                if not inner.kinds & {"int", "double"}:
                    self._fault("type", f"`-` negates a number, and {self._said(operand, inner)}", sure)
                return Type(inner.kinds & {"int", "double"} or frozenset({"int"}))
            case tree.ListOf(items=items):
                listed = [self._of(item, scope, sure=sure) for item in items]
                return a_list(_together(listed)) if listed else LIST
            case tree.MapOf(entries=entries):
                return self._map(entries, scope, sure=sure)
        return ANY

    def _fault(self, kind: FaultKind, message: str, certain: bool, name: str = "", known: tuple[str, ...] = ()) -> None:
        if not self._quiet:
            self.faults.append(Fault(kind, message, certain, name, known))

    def _source(self, node: Node) -> str:
        text = self._text[node.start : node.end]
        return text if len(text) <= 80 else text[:77] + "..."

    def _said(self, node: Node, found: Type) -> str:
        return f"`{self._source(node)}` is {found.words()}"

    def _name(self, name: str, scope: Scope) -> Type:
        if name in scope:
            return scope[name]
        return Type(frozenset({"type"})) if name in TYPES else self._names(name)

    def _condition(self, node: Node, asks: str, scope: Scope, *, sure: bool) -> None:
        found = self._of(node, scope, sure=sure)
        if "bool" not in found.kinds:
            self._fault("type", f"{asks} true or false, and {self._said(node, found)}", sure)

    def _member(self, node: Node, owner: Type, name: str, *, sure: bool, cared: bool) -> Type:
        place = self._source(node)
        if "map" not in owner.kinds:
            if not cared:
                self._fault("path", f"`{place}` cannot be read: what it is read of is {owner.words()}", sure)
            return ANY
        if name in owner.members:
            return owner.members[name]
        known = tuple(owner.members)
        if owner.closed:
            self._fault("member", f"`{place}` does not exist: there is no member `{name}`", sure and not cared, name, known)
        elif owner.declared and not cared:
            self._fault("member", f"`{place}`: its schema lists no member `{name}`", False, name, known)
        return ANY

    def _index(self, node: Node, operand: Node, key: Node, scope: Scope, *, sure: bool, cared: bool) -> Type:
        owner = self._of(operand, scope, sure=sure, cared=cared)
        if isinstance(key, tree.Literal) and type(key.value) is str and "list" not in owner.kinds:
            return self._member(node, owner, key.value, sure=sure, cared=cared)
        wanted = self._of(key, scope, sure=sure)
        if not owner.kinds & {"list", "map"}:
            if not cared:
                self._fault("path", f"`{self._source(node)}` cannot be read: {self._said(operand, owner)}", sure)
        elif owner.kinds == {"list"}:
            if not wanted.kinds & {"int", "uint", "double"}:
                self._fault("type", f"a list is indexed by a whole number, and {self._said(key, wanted)}", sure)
            return owner.items or ANY
        return ANY

    def _call(self, node: tree.Call, scope: Scope, *, sure: bool) -> Type:
        name, target = node.function, node.target
        qualified = f"{target.name}.{name}" if isinstance(target, tree.Name) and target.name not in scope else ""
        if qualified in GLOBALS:
            name, target = qualified, None
        values = node.args if target is None else (target, *node.args)
        args = [self._of(value, scope, sure=sure) for value in values]
        if not accepts(name, target is not None, args):
            given = ", ".join(self._said(value, arg) for value, arg in zip(values, args, strict=True))
            self._fault("type", f"`{name}` does not take these: {given}", sure)
        return given_by(name, args)

    def _binary(self, node: tree.Binary, scope: Scope, *, sure: bool) -> Type:
        operator, left, right = node.operator, self._of(node.left, scope, sure=sure), self._of(node.right, scope, sure=sure)
        both = f"{self._said(node.left, left)}, {self._said(node.right, right)}"
        if operator in ("==", "!="):
            # Comparing with null is how people make sure, whatever a schema promises.
            if not may_equal(left, right) and "null" not in (*left.kinds, *right.kinds):
                answer = "false" if operator == "==" else "true"
                self._fault("equality", f"`{self._source(node)}` is always {answer}: {_differ(both, left, right)}", False)
            return BOOL
        if operator in _ORDERINGS:
            if not comparable(left.kinds, right.kinds):
                self._fault("type", f"`{operator}` cannot compare them: {both}", sure)
            return BOOL
        if operator == "in":
            if not right.kinds & {"list", "map"}:
                self._fault("type", f"`in` looks into a list or an object, and {self._said(node.right, right)}", sure)
            elif right.kinds == {"list"} and right.items is not None and not may_equal(left, right.items):
                self._fault("equality", f"`{self._source(node)}` is always false: {self._said(node.left, left)}, the list has none", False)
            return BOOL
        kinds = calculated(operator, left.kinds, right.kinds)
        if not kinds:
            self._fault("type", f"`{operator}` cannot calculate with them: {both}", sure)
            return ANY
        items = either(left.items, right.items) if left.items is not None and right.items is not None else None
        return Type(kinds, items=items)

    def _map(self, entries: tuple[tuple[Node, Node], ...], scope: Scope, *, sure: bool) -> Type:
        members: dict[str, Type] = {}
        whole = True
        for key, value in entries:
            self._of(key, scope, sure=sure)
            found = self._of(value, scope, sure=sure)
            if isinstance(key, tree.Literal) and type(key.value) is str:
                members[key.value] = found
            else:
                whole = False
        return a_map(members, closed=whole, declared=False)

    def _each(self, node: tree.Each, scope: Scope, *, sure: bool) -> Type:
        source = self._of(node.source, scope, sure=sure)
        if not source.kinds & {"list", "map"}:
            self._fault("type", f"`{node.kind}` goes over a list or an object, and {self._said(node.source, source)}", sure)
        items = source.items if source.kinds & {"list", "map"} == {"list"} and source.items is not None else ANY
        firsts = TEXT if "list" not in source.kinds else INT if "map" not in source.kinds else ANY
        inner = dict(scope)
        if len(node.variables) == 1:
            inner[node.variables[0]] = items if "list" in source.kinds else TEXT
        else:
            inner |= dict(zip(node.variables, (firsts, items), strict=True))
        found = [self._of(body, inner, sure=False) for body in node.bodies]
        tests = found[:-1] if node.kind not in (*_ANSWERS, "filter") else found
        for body, test in zip(node.bodies, tests, strict=False):
            if "bool" not in test.kinds:
                self._fault("type", f"`{node.kind}` asks for true or false of each item, and {self._said(body, test)}", False)
        if node.kind in _ANSWERS:
            return BOOL
        if node.kind == "filter":
            return a_list(inner[node.variables[-1]] if len(node.variables) == 1 else None)
        return Type(frozenset({"map"})) if node.kind == "transformMap" else a_list(source.items if node.kind == "sortBy" else found[-1])


def _asks_for_type(root: Node) -> bool:
    """Whether a condition calls `type`: what it lets through is of a kind that is not known here."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tree.Call) and node.function == "type":
            return True
        waiting.extend(children(node))
    return False


def _together(types: list[Type]) -> Type | None:
    found = types[0]
    for one in types[1:_MAX_LISTED]:
        found = either(found, one)
    return found if len(types) <= _MAX_LISTED else None


def _differ(both: str, left: Type, right: Type) -> str:
    if left.kinds & right.kinds == {"text"} and left.values is not None and right.values is not None:
        known = left if len(left.values) >= len(right.values) else right
        return f"it can only be {', '.join(sorted(known.values or ()))}"[:200]
    return both
