"""Which of the paths an expression reads are read whenever it is evaluated."""

from weft_language.expressions import Expression, Template, tree
from weft_language.expressions.references import references
from weft_language.expressions.tree import Node, children

Path = tuple[str, ...]


def sure_reads(found: Expression | Template) -> set[Path]:
    """The paths whose absence certainly fails the whole: not those that a choice, `&&`, `||`, has, default or an empty list may spare."""
    expressions = [found] if isinstance(found, Expression) else [one for _, one in found.expressions]
    paths: set[Path] = set()
    for expression in expressions:
        for node in sure_parts(expression.tree):
            if isinstance(node, tree.Name | tree.Select | tree.Index):
                paths |= references(node)[0]
    return paths


def sure_parts(root: Node) -> list[Node]:
    """The parts of an expression that are evaluated whenever it is, outermost first; chains of reads are one part."""
    parts: list[Node] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        parts.append(node)
        match node:
            case tree.Name() | tree.Select() | tree.Index() | tree.Logic() | tree.Has() | tree.Default():
                pass
            case tree.Conditional(condition=condition):
                waiting.append(condition)
            case tree.Each(source=source):
                waiting.append(source)
            case _:
                waiting.extend(reversed(children(node)))
    return parts
