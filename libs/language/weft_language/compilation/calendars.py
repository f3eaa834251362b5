"""Which business calendars a definition asks for: who runs it has them at hand then, and no others need any."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from weft_language.expressions import Expression, Template, tree
from weft_language.expressions.tree import Node, children
from weft_language.model import Definition, to_document
from weft_language.validation import compiled
from weft_language.validation.outline import OutlineNode, outline
from weft_language.validation.sites import Site, sites

_FUNCTION: Final = "business_time"


@dataclass(frozen=True, slots=True)
class CalendarUse:
    """What of calendars a definition reads. named: those it names as constants.  any: whether it may read one at all, by whatever name."""

    named: frozenset[str] = frozenset()
    any: bool = False


NO_CALENDARS: Final = CalendarUse()


def calendar_use(definition: Definition) -> CalendarUse:
    """The calendars that waits, the sla and expressions of a definition name."""
    document = outline(to_document(definition))
    found = [name for node in document.all_nodes for name in _of_wait(node)]
    if definition.sla is not None and definition.sla.calendar is not None:
        found.append(definition.sla.calendar)
    for site in sites(document):
        if _FUNCTION in str(site.value):
            for expression in _expressions(site):
                found.extend(_of_calls(expression.tree))
    return CalendarUse(frozenset(name for name in found if name), bool(found)) if found else NO_CALENDARS


def _of_wait(node: OutlineNode) -> Iterator[str]:
    """The name a wait states; empty for one that is rendered."""
    name = node.with_.get("calendar") if node.type == "wait" else None
    if isinstance(name, str):
        yield "" if "{{" in name else name


def _expressions(site: Site) -> Iterator[Expression]:
    read: dict[str, Callable[[Any], Any]] = {"cel": compiled.expression, "template": compiled.template, "conditions": compiled.conditions}
    made = read[site.kind](site.value)
    if isinstance(made, Template):
        yield from (expression for _, expression in made.expressions)
    elif isinstance(made, Expression):
        yield made


def _of_calls(root: Node) -> Iterator[str]:
    """The name each call gives as a constant; empty for one that is computed. An object is no name."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        waiting.extend(children(node))
        if isinstance(node, tree.Call) and node.target is None and node.function == _FUNCTION and len(node.args) == 3:
            given = node.args[2]
            if not isinstance(given, tree.MapOf):
                yield given.value if isinstance(given, tree.Literal) and isinstance(given.value, str) else ""
