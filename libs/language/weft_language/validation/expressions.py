"""Layer 3: expressions. Their syntax, the names they read, and whether what they read exists by then."""

import re
from collections.abc import Iterator
from typing import Final

from weft_language.expressions import Expression, ExpressionError, Template, int_divisions
from weft_language.findings import Finding
from weft_language.validation import compiled
from weft_language.validation.flow import Flow
from weft_language.validation.names import MEMBERS, WHERE, input_members, setters, variables
from weft_language.validation.nearest import choice, nearest
from weft_language.validation.outline import Outline
from weft_language.validation.reads import Path, sure_reads
from weft_language.validation.sites import Site, sites
from weft_language.validation.steps import StepReader, unknown_member
from weft_language.validation.typing import TypeReader

MAX_EXPRESSION_CHARS: Final = 262_144
_BRACED: Final = re.compile(r"\s*\{\{(.*)\}\}\s*", re.DOTALL)


def expression_findings(document: Outline, flow: Flow) -> Iterator[Finding]:
    """Everything that is wrong or doubtful about the expressions of a document."""
    reader, types = _Reader(document, flow), TypeReader(document)
    left = MAX_EXPRESSION_CHARS
    for site in sites(document):
        left -= _size(site)
        if left < 0:
            message = f"the expressions of a definition are at most {MAX_EXPRESSION_CHARS} characters together"
            fix = "split the definition, or set variables once and read those"
            yield Finding("error", "expressions_too_large", site.pointer, message, site.node, fix)
            return
        yield from reader.read(site)
        yield from types.read(site)
    yield from types.triggers()


def _size(site: Site) -> int:
    """Characters of expression: parsing them is what takes time, the text around them is not."""
    if not isinstance(site.value, str):
        return len(str(site.value))
    if site.kind == "cel":
        return len(site.value)
    size = start = 0
    while (start := site.value.find("{{", start)) >= 0:
        end = site.value.find("}}", start)
        end = len(site.value) if end < 0 else end
        size += end - start
        start = end
    return size


class _Reader:
    """Checks one expression after the other against what the document has."""

    def __init__(self, document: Outline, flow: Flow) -> None:
        self._document = document
        self._flow = flow
        self._steps = StepReader(document, flow)
        self._variables = variables(document)
        self._input = input_members(document.document)

    def read(self, site: Site) -> Iterator[Finding]:
        """What is wrong with one expression."""
        if site.kind == "cel" and (match := _BRACED.fullmatch(site.value)) and "}}" not in match[1]:
            plain = match[1].strip()
            message = "this field is an expression already: the braces are for texts"
            patch = ({"op": "replace", "path": site.pointer, "value": plain},)
            yield Finding("error", "template_in_expression", site.pointer, message, site.node, f"write {plain}", patch)
            return
        if not _same_type(site):
            return
        found = _compile(site)
        if isinstance(found, ExpressionError):
            yield _uncompiled(site, found)
            return
        required = set(found.references)
        # `has(step.a.output) && step.a.output.ok` and `default(step.a.output, 0)` both say that the author thought of it.
        thought_of = {path[:2] for path in found.optional_references}
        sure = sure_reads(found)
        for path in sorted(required | set(found.optional_references)):
            yield from self._path(site, path, sure, optional=path not in required or path[:2] in thought_of)
        yield from _divisions(site)

    def _path(self, site: Site, path: Path, sure: set[Path], *, optional: bool) -> Iterator[Finding]:
        root = path[0]
        if root not in site.names:
            yield _unknown_name(site, root)
        elif root == "step" and len(path) > 1:
            yield from self._steps.read(site, path, optional=optional, sure=path in sure)
        elif root in MEMBERS and len(path) > 1 and path[1] not in MEMBERS[root]:
            yield unknown_member(site, path[:2], MEMBERS[root])
        elif root == "vars" and len(path) > 1 and not optional:
            yield from self._variable(site, path[1])
        elif root == "input" and len(path) > 1 and self._input is not None and path[1] not in self._input[0]:
            names, closed = self._input
            if closed or not optional:
                yield _unknown_input(site, path[1], names, certain=closed and not optional)

    def _variable(self, site: Site, name: str) -> Iterator[Finding]:
        if self._variables is None or site.moment is None:
            return
        if name not in self._variables:
            meant = nearest(name, self._variables)
            fix = f"did you mean `vars.{meant}`?" if meant else f"declare `{name}` in the definition's `vars`, or set it before"
            message = f"`vars.{name}`: no variable has this name"
            yield Finding("error", "unknown_variable", site.pointer, message, site.node, fix)
            return
        nodes = setters(self._document, name)
        if nodes is not None and self._flow.reached(site.moment) and self._flow.has_run(site.moment, nodes) != "always":
            message = f"`vars.{name}` is read where it has not been set on every way"
            fix = f"give it a first value in the definition's `vars`, or write default(vars.{name}, null)"
            yield Finding("warning", "variable_may_be_unset", site.pointer, message, site.node, fix)


def _divisions(site: Site) -> Iterator[Finding]:
    """Divisions that drop the fraction when both sides are integers."""
    match = _BRACED.fullmatch(site.value) if site.kind == "template" else None
    text = match[1] if match else site.value
    found = compiled.expression(text) if site.kind == "cel" or match else None
    if isinstance(found, Expression):
        for division in int_divisions(found):
            message = f"`{division}` drops the fraction when both sides are whole numbers"
            fix = "write double(...) around one side where the fraction counts"
            yield Finding("info", "integer_division", site.pointer, message, site.node, fix)


def _same_type(site: Site) -> bool:
    return isinstance(site.value, str) or site.kind == "conditions"


def _compile(site: Site) -> Expression | Template | ExpressionError:
    if site.kind == "cel":
        return compiled.expression(site.value)
    return compiled.template(site.value) if site.kind == "template" else compiled.conditions(site.value)


def _uncompiled(site: Site, error: ExpressionError) -> Finding:
    pointer = site.pointer + (error.pointer if site.kind == "conditions" else "")
    fix = None
    if error.code == "expression_limit":
        fix = "split it: set variables in steps before, and read those"
    return Finding("error", error.code, pointer, str(error), site.node, fix)


def _unknown_name(site: Site, name: str) -> Finding:
    meant = nearest(name, site.names)
    if name in WHERE:
        fix = WHERE[name]
    elif meant:
        fix = f"did you mean `{meant}`?"
    else:
        fix = f"the names here are {choice(sorted(site.names))}; a text is written in quotes"
    return Finding("error", "unknown_name", site.pointer, f"`{name}` is not known here", site.node, fix)


def _unknown_input(site: Site, name: str, known: frozenset[str], *, certain: bool) -> Finding:
    meant = nearest(name, sorted(known))
    fix = f"did you mean `input.{meant}`?" if meant else f"add `{name}` to the properties of the definition's `input`"
    message = f"`input.{name}`: the input's schema has no property `{name}`"
    return Finding("error" if certain else "warning", "unknown_input", site.pointer, message, site.node, fix)
