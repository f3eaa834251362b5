"""The types of the names that expressions of a document may read: `input`, `vars`, `step`, `signal` and the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from weft_language.expressions import Expression, ExpressionError
from weft_language.expressions.template import split
from weft_language.validation import compiled
from weft_language.validation.outline import Outline, OutlineNode
from weft_language.validation.sites import Site
from weft_language.validation.types.from_schema import Schemas
from weft_language.validation.types.infer import Inference
from weft_language.validation.types.kinds import ANY, INT, MAP, MAX_MEMBERS, MOMENT, TEXT, TIME, Type, a_list, a_map, either, of_value
from weft_language.validation.types.outputs import output_of, signal_of, step_of

_MAX_DEPTH: Final = 4
"""How many types may be worked out for one another at a time. Beyond it, and for deep expressions, they are ANY: the stack stays small."""
_MAX_TREE: Final = 20
_MAX_TEXTS: Final = 2_000
"""Templates longer than this many characters are texts or anything: nobody needs their exact type."""
_WRITTEN_AS_TEXT: Final = frozenset({"time", "duration", "bytes", "type"})
_FIXED: Final[dict[str, Type]] = {
    "now": TIME,
    "index": INT,
    "iteration": INT,
    "tenant": Type(frozenset({"map"}), {"id": TEXT}),
    "execution": Type(frozenset({"map"}), {"id": TEXT, "workflow": TEXT, "version": INT, "started_at": MOMENT}),
    "trigger": MAP,
}

Names = Callable[[str], Type]


class Members(Mapping[str, Type]):
    """Members of a map that are worked out when they are read."""

    def __init__(self, names: Iterable[str], type_of: Callable[[str], Type]) -> None:
        self._names = dict.fromkeys(names)
        self._type_of = type_of

    def __getitem__(self, name: str) -> Type:
        """The type of a member. Raises: KeyError."""
        if name not in self._names:
            raise KeyError(name)
        return self._type_of(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class Environment:
    """Knows the types of names at each place of a document. What cannot be known is ANY."""

    def __init__(self, document: Outline) -> None:
        """Works out the steps of all nodes once, in document order, so that each finds those before it known."""
        self.schemas = Schemas()
        self._document = document
        self._outputs: dict[str, Type] = {}
        self._variables: dict[str, Type] = {}
        self._items: dict[str, Type] = {}
        self._templates: dict[str, Type] = {}
        self._begun: list[str] = []
        self._setters = _setters(document)
        self._vars = Type(frozenset({"map"}), Members(self._setters, self._variable))
        self._steps = Type(frozenset({"map"}), Members(document.nodes, self._step))
        written = document.document.get("input")
        found = self.schemas.type_of(written) if isinstance(written, Mapping) else MAP
        # A name that the input does not list is told of by the layer of expressions.
        self._input = Type(frozenset({"map"}), found.members)
        for node_id in document.nodes:
            self._step(node_id)

    def at(self, site: Site) -> Names:
        """The types of the names that one expression reads."""
        if site.pointer.startswith("/triggers/"):
            return self._in_trigger(int(site.pointer.split("/")[2]))
        node = self._document.nodes.get(site.node) if site.node is not None else None
        if node is not None and site.moment is not None and site.moment[0] == "out" and node.type == "state":
            return self._names(node, signal_of(node, site.moment[2], self))
        return self._names(node)

    def trigger_input(self, built: Mapping[str, Any]) -> Type:
        """What a trigger's `input` renders to, whatever the event brings."""
        return a_map({name: self._built(value) for name, value in built.items()})

    def _built(self, value: Any) -> Type:
        if not isinstance(value, str) or "{{" not in value:
            return self.template(value, None, "") if isinstance(value, str) else Type(of_value(value).kinds)
        whole = whole_expression(value)
        return TEXT if whole is None else as_json(Inference(whole, lambda name: _FIXED.get(name, ANY)).type)

    def cel(self, text: str, node: OutlineNode | None) -> Type:
        """What an expression at a node gives, as it is kept: as JSON."""
        found = compiled.expression(text)
        return ANY if isinstance(found, ExpressionError) else self._expression(found, node)

    def template(self, value: Any, node: OutlineNode | None, place: str, depth: int = 0) -> Type:
        """What a value with templates at a node renders to. place: its pointer; what it holds is worked out when it is read."""
        if isinstance(value, str) and "{{" in value:
            return self._text(value, node)
        if isinstance(value, Mapping) and depth < _MAX_DEPTH and len(value) <= MAX_MEMBERS:
            known = Members(
                value,
                lambda name: self._worked_out(
                    self._templates, f"{place}/{name}", lambda: self.template(value[name], node, f"{place}/{name}", depth + 1)
                ),
            )
            return Type(frozenset({"map"}), known, closed=True, declared=True)
        if isinstance(value, list) and value and len(value) <= _MAX_TREE and depth < _MAX_DEPTH:
            found = self.template(value[0], node, f"{place}/0", depth + 1)
            for index, inner in enumerate(value[1:], 1):
                found = either(found, self.template(inner, node, f"{place}/{index}", depth + 1))
            return a_list(found)
        if isinstance(value, list):
            return a_list(None)
        return MAP if isinstance(value, Mapping) else of_value(value)

    def _text(self, text: str, node: OutlineNode | None) -> Type:
        whole = whole_expression(text)
        if whole is not None:
            return self._expression(whole, node)
        return TEXT

    def _expression(self, expression: Expression, node: OutlineNode | None) -> Type:
        if expression.tree.depth > _MAX_TREE or len(expression.text) > _MAX_TEXTS:
            return ANY
        return as_json(Inference(expression, self._names(node)).type)

    def _names(self, node: OutlineNode | None, signal: Type = ANY) -> Names:
        """The names at a node; None is a place outside of all nodes."""

        def named(name: str) -> Type:
            item = self._item(node, name)
            if item is not None:
                return item
            known = {"step": self._steps, "vars": self._vars, "input": self._input, "signal": signal}.get(name)
            return known or _FIXED.get(name, ANY)

        return named

    def _item(self, node: OutlineNode | None, name: str) -> Type | None:
        """What a `foreach` around a node calls its item, or None where no such name is in scope."""
        graph = node.graph if node is not None else None
        while graph is not None and graph.parent is not None:
            owner = graph.parent
            if owner.type == "foreach" and name == owner.with_.get("as", "item"):
                return self._worked_out(self._items, owner.pointer, partial(self._items_of, owner))
            graph = owner.graph
        return None

    def _items_of(self, owner: OutlineNode) -> Type:
        found = self.template(owner.with_.get("items"), owner, f"{owner.pointer}/with/items")
        return found.items if found.items is not None and "list" in found.kinds else ANY

    def _step(self, node_id: str) -> Type:
        node = self._document.nodes[node_id]
        return self._worked_out(self._outputs, node_id, lambda: step_of(node, output_of(node, self)))

    def _variable(self, name: str) -> Type:
        return self._worked_out(self._variables, name, lambda: self._variable_of(name))

    def _variable_of(self, name: str) -> Type:
        found: Type | None = None
        for node, value in self._setters[name]:
            place = f"{'' if node is None else node.pointer}/{name}"
            one = self.template(value, node, place) if node is None or "enhance" not in node.raw else ANY
            found = one if found is None else either(found, one)
        return found or ANY

    def _worked_out(self, known: dict[str, Type], name: str, work: Callable[[], Type]) -> Type:
        """A type that is worked out once; ANY where that needs itself, or too many others."""
        if name not in known:
            mark = f"{id(known)} {name}"
            if mark in self._begun or len(self._begun) >= _MAX_DEPTH:
                return ANY
            self._begun.append(mark)
            known[name] = work()
            self._begun.pop()
        return known[name]

    def _in_trigger(self, place: int) -> Names:
        """The names in a trigger: a form tells what a `manual` one brings, though a service may send more."""
        trigger = self._document.document["triggers"][place]
        payload = self.schemas.type_of(trigger["form"]) if trigger.get("on") == "manual" and "form" in trigger else ANY
        known = Type(frozenset({"map"}), {"payload": replace(payload, closed=False)})
        return lambda name: known if name == "trigger" else _FIXED.get(name, ANY)


def _setters(document: Outline) -> dict[str, list[tuple[OutlineNode | None, Any]]]:
    """Each variable with the values it is given: at first, and by the `set` nodes."""
    found: dict[str, list[tuple[OutlineNode | None, Any]]] = {}
    declared = document.document.get("vars")
    for name, value in declared.items() if isinstance(declared, Mapping) else ():
        found.setdefault(name, []).append((None, value))
    for node in document.all_nodes:
        if node.type == "set":
            for name, value in node.with_.items():
                found.setdefault(name, []).append((node, value))
    return found


def whole_expression(text: str) -> Expression | None:
    """The expression that a template text is, or None where it is a text around expressions or wrong."""
    if not (text.startswith("{{") and text.endswith("}}")):
        return None
    try:
        parts = split(text)
    except ExpressionError:
        return None
    return parts[0] if len(parts) == 1 and isinstance(parts[0], Expression) else None


def as_json(found: Type, depth: int = 0) -> Type:
    """What becomes of a value when it is kept: times and durations are texts then."""
    kinds = found.kinds
    if kinds & _WRITTEN_AS_TEXT:
        kinds = kinds - _WRITTEN_AS_TEXT | {"text"}
    if "uint" in kinds:
        kinds = kinds - {"uint"} | {"int"}
    values = found.values if kinds == found.kinds else None
    if depth > _MAX_DEPTH or isinstance(found.members, Members):
        return Type(kinds, values=values)
    members = {name: as_json(inner, depth + 1) for name, inner in found.members.items()}
    items = as_json(found.items, depth + 1) if found.items is not None else None
    return Type(kinds, members, found.closed, found.declared, items, values)
