"""Types in expressions. Outputs, inputs and variables used as what they are not; only what certainly fails is an error."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from weft_language.expressions import Expression, ExpressionError, tree
from weft_language.findings import Finding, Severity, pointer_of
from weft_language.validation import compiled
from weft_language.validation.constants import Constants, condition_at
from weft_language.validation.nearest import choice, nearest
from weft_language.validation.needs import Need, need_at
from weft_language.validation.outline import Outline
from weft_language.validation.reads import sure_parts
from weft_language.validation.sites import Site
from weft_language.validation.types import ANY, Environment, Fault, Inference, Names, Type, whole_expression

_CODES: Final = {"type": "expression_type", "path": "expression_path", "member": "unknown_property", "equality": "never_equal"}
_FIXES: Final = {
    "type": "convert the value, with text(...), int(...) or double(...), or read another",
    "path": "read the value itself, or another",
    "equality": "compare it with a value it can have",
}


class TypeReader:
    """Checks one expression after the other against the types of what it reads, and of what its place needs."""

    def __init__(self, document: Outline) -> None:
        self._document = document
        self._environment = Environment(document)
        self._constants = Constants()

    def read(self, site: Site) -> Iterator[Finding]:
        """What values are used as in one place although they never are that."""
        names = self._environment.at(site)
        for expression in _expressions(site):
            inferred = Inference(expression, names)
            for fault in inferred.faults:
                yield _finding(site, fault)
            yield from self._impossible(site, expression)
            if site.kind != "template" and condition_at(site) is not None and "bool" not in inferred.type.kinds:
                message = f"a condition gives true or false, this one gives {inferred.type.words()}"
                yield Finding("error", "expression_type", site.pointer, message, site.node, "compare it with something")
        yield from self._unfit(site, names)

    def triggers(self) -> Iterator[Finding]:
        """Inputs that triggers build and that the input's schema always refuses."""
        schema, triggers = self._document.document.get("input"), self._document.document.get("triggers")
        if not isinstance(schema, Mapping) or not isinstance(triggers, list):
            return
        wanted = self._environment.schemas.type_of(schema)
        for place, trigger in enumerate(triggers):
            built = trigger.get("input") if isinstance(trigger, Mapping) else None
            if isinstance(built, Mapping):
                yield from self._built(f"/triggers/{place}/input", built, schema, wanted)

    def _built(self, pointer: str, built: Mapping[str, Any], schema: Mapping[str, Any], wanted: Type) -> Iterator[Finding]:
        required = schema.get("required")
        missing = [name for name in required if isinstance(name, str) and name not in built] if isinstance(required, list) else []
        problems = [(pointer, f"the input of this trigger lacks `{name}`", f"add `{name}`") for name in missing]
        given = self._environment.trigger_input(built)
        for name in built:
            at = pointer + pointer_of(name)
            if name not in wanted.members:
                if wanted.closed:
                    problems.append((at, f"the input's schema allows no `{name}`", f"the input has {choice(wanted.members)}"))
            elif not given.members.get(name, ANY).kinds & wanted.members[name].kinds:
                right, wrong = wanted.members[name].words(), given.members.get(name, ANY).words()
                problems.append((at, f"`{name}` should be {right}, and this trigger gives {wrong}", "convert the value"))
        for at, message, fix in problems:
            yield Finding("warning", "trigger_input_refused", at, f"{message}: each execution it starts is refused", fix=fix)

    def _impossible(self, site: Site, expression: Expression) -> Iterator[Finding]:
        """A constant part that can never be computed: a text that is no time, a division by zero."""
        for node in sure_parts(expression.tree):
            if isinstance(node, tree.Call | tree.Binary):
                try:
                    self._constants.value(expression.text, node)
                except ExpressionError as error:
                    if error.code != "expression_type":
                        yield Finding("error", error.code, site.pointer, str(error), site.node, "write a value that can be computed")
                    return

    def _unfit(self, site: Site, names: Names) -> Iterator[Finding]:
        """A template that gives something else than its place needs."""
        need = need_at(self._document, site)
        if need is None or isinstance(compiled.template(site.value), ExpressionError):
            return
        whole = whole_expression(site.value)
        if whole is None:
            if "text" not in need.kinds:
                yield _unmet(site, need, "a text, as there is more in it than one expression")
            return
        found = Inference(whole, names).type
        if not found.kinds & need.kinds:
            yield _unmet(site, need, found.words())
            return
        fault = _constant_fault(whole, need, self._constants)
        if fault is not None:
            yield Finding(need.severity, "expression_value", site.pointer, fault, site.node, need.fix)


def _expressions(site: Site) -> list[Expression]:
    found: Any = None
    if site.kind == "cel" and isinstance(site.value, str):
        found = compiled.expression(site.value)
    elif site.kind == "conditions":
        found = compiled.conditions(site.value)
    elif isinstance(site.value, str):
        template = compiled.template(site.value)
        return [] if isinstance(template, ExpressionError) else [expression for _, expression in template.expressions]
    return [found] if isinstance(found, Expression) else []


def _finding(site: Site, fault: Fault) -> Finding:
    # A trigger's payload is what its form describes only when a person fills it in.
    severity: Severity = "error" if fault.certain and not site.pointer.startswith("/triggers/") else "warning"
    fix = _FIXES.get(fault.kind)
    if fault.kind == "member":
        meant = nearest(fault.name, fault.known)
        fix = f"did you mean `{meant}`?" if meant else f"it has {choice(fault.known)}" if fault.known else "it has no members"
    return Finding(severity, _CODES[fault.kind], site.pointer, fault.message, site.node, fix)


def _unmet(site: Site, need: Need, given: str) -> Finding:
    message = f"{need.what} is needed here, and this is {given}"
    return Finding(need.severity, "expression_type", site.pointer, message, site.node, need.fix)


def _constant_fault(expression: Expression, need: Need, constants: Constants) -> str | None:
    """What is wrong with a constant that has the right kind."""
    try:
        value = constants.value(expression.text, expression.tree)
    except ExpressionError:
        return None
    return need.fault(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
