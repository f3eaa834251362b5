"""What can be known of an expression before it runs: conditions that never change, and constants that cannot be computed."""

from collections.abc import Iterator
from typing import Any, Final

from weft_language.expressions import Expression, ExpressionError, tree
from weft_language.expressions.tree import Node, children
from weft_language.findings import Finding
from weft_language.validation import compiled
from weft_language.validation.flow import Flow, entry_of
from weft_language.validation.outline import Outline
from weft_language.validation.sites import Site, sites

MAX_FOLDED: Final = 2_000
"""How many constant parts of a document are computed. Beyond it the others count as unknown."""
_MAX_WEIGHT: Final = 50
_FOLDABLE: Final = frozenset(
    {
        "bool", "int", "uint", "double", "string", "timestamp", "duration", "date", "size", "contains", "startsWith", "endsWith",
        "lowerAscii", "upperAscii", "trim", "text",
    }
)  # fmt: skip
"""Functions whose work is bounded by their constant arguments."""


class Unknown:
    """The answer "this depends on the execution"."""


UNKNOWN: Final = Unknown()


class Constants:
    """Computes constant parts of expressions, a bounded number of them."""

    def __init__(self) -> None:
        """Begin with the whole budget of `MAX_FOLDED`."""
        self._left = MAX_FOLDED

    def value(self, text: str, node: Node) -> Any:
        """The value of a part of an expression, or UNKNOWN. Raises: ExpressionError where it can never be computed."""
        if isinstance(node, tree.Literal):
            return node.value
        if not _foldable(node):
            return UNKNOWN
        self._left -= 1
        return Expression(text, node).evaluate({}) if self._left >= 0 else UNKNOWN

    def truth(self, text: str, node: Node) -> bool | None:
        """What a condition always is, or None where it depends on the execution or cannot be computed."""
        match node:
            case tree.Logic(operator=operator, operands=operands):
                known = [self.truth(text, operand) for operand in operands]
                decisive = operator == "||"
                if decisive in known:
                    return decisive
                return None if None in known else not decisive
            case tree.Unary(operator="!", operand=operand):
                inner = self.truth(text, operand)
                return None if inner is None else not inner
            case tree.Conditional(condition=condition, then=then, otherwise=otherwise):
                chosen = self.truth(text, condition)
                return None if chosen is None else self.truth(text, then if chosen else otherwise)
        try:
            value = self.value(text, node)
        except ExpressionError:
            return None
        return value if isinstance(value, bool) else None


def _foldable(root: Node) -> bool:
    """Whether a part reads nothing and is computed in little time."""
    if root.weight > _MAX_WEIGHT:
        return False
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, tree.Name | tree.Each | tree.Has | tree.Default):
            return False
        if isinstance(node, tree.Call) and node.function not in _FOLDABLE:
            return False
        waiting.extend(children(node))
    return True


def decisions(document: Outline) -> dict[str, bool]:
    """Pointer of each condition of a node or edge that never changes, with what it always is."""
    constants = Constants()
    found: dict[str, bool] = {}
    for site in sites(document):
        expression = condition_at(site)
        if expression is not None:
            always = constants.truth(expression.text, expression.tree)
            if always is not None:
                found[site.pointer] = always
    return found


def condition_at(site: Site) -> Expression | None:
    """The condition a place holds, or None where it holds no condition or a wrong one."""
    if site.kind == "cel" and isinstance(site.value, str) and site.pointer.rsplit("/", 1)[-1] in ("when", "while", "until", "match"):
        found: Any = compiled.expression(site.value)
    elif site.kind == "conditions":
        found = compiled.conditions(site.value)
    else:
        return None
    return found if isinstance(found, Expression) else None


def constant_findings(document: Outline, plain: Flow, flow: Flow, known: dict[str, bool]) -> Iterator[Finding]:
    """Conditions that never change, and what never runs because of them. plain: the flow that ignores them."""
    if not known:
        return
    by_pointer = {site.pointer: site for site in sites(document)}
    meant = _meant(document)
    for pointer, always in known.items():
        if not pointer.endswith(("/with/while", "/with/until")) and not (always and pointer in meant):
            word = "true" if always else "false"
            site = by_pointer[pointer]
            message = f"this condition is always {word}, whatever happens: {_shown(site.value)}"
            fix = "compare it with something that changes, or take the choice out"
            yield Finding("warning", "constant_condition", pointer, message, site.node, fix)
    for graph in document.graphs:
        if graph.parent is not None and not flow.reached(entry_of(graph.parent)):
            continue
        for node in graph.nodes:
            if plain.reached(entry_of(node)) and not flow.reached(entry_of(node)):
                message = f"`{node.id}` never runs: a condition on every way to it always decides against it"
                yield Finding("warning", "dead_node", node.pointer, message, node.id, "mend the condition, or remove the node")


def _meant(document: Outline) -> set[str]:
    """Where people write a constant on purpose: `true` as the last guard or case means "otherwise"; loops are told of apart."""
    found: set[str] = set()
    for graph in document.graphs:
        for edges in graph.by_source.values():
            found |= {f"{edge.pointer}/when" for edge in {one.on: one for one in edges}.values()}
        for node in graph.nodes:
            cases = node.with_.get("cases")
            if node.type == "switch" and isinstance(cases, list) and "default" not in node.with_:
                found.add(f"{node.pointer}/with/cases/{len(cases) - 1}/when")
    return found


def _shown(value: Any) -> str:
    text = str(value)
    return f"`{text}`" if len(text) <= 80 else f"`{text[:77]}...`"
