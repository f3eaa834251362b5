"""Validation: three layers that see every document whole, and tell how to mend what they find.

1. shape: fields, types, ranges (from the model).  2. graph: ids, edges, scopes, outcomes, what can run, wait, change and end.
3. expressions: syntax, names, steps that may not have run, types of values; and the JSON Schemas that authors write.
Every code is in docs/reference/findings.md.
"""

from collections.abc import Iterable
from typing import Any

from weft_language.findings import MAX_FINDINGS, Finding, InvalidDefinition, has_errors, in_order
from weft_language.model import Definition
from weft_language.plain import plain_faults
from weft_language.validation.calls import call_findings, called_workflows
from weft_language.validation.connections import connection_findings
from weft_language.validation.constants import constant_findings, decisions
from weft_language.validation.cycles import cycle_findings
from weft_language.validation.expressions import expression_findings
from weft_language.validation.flow import Flow
from weft_language.validation.graph import graph_findings, size_findings
from weft_language.validation.meaning import meaning_findings
from weft_language.validation.outline import outline
from weft_language.validation.publishing import publish_findings
from weft_language.validation.repeating import repeating_findings
from weft_language.validation.resting import resting_findings
from weft_language.validation.schemas import schema_findings
from weft_language.validation.shape import shape_findings
from weft_language.validation.undoing import undoing_findings

__all__ = [
    "Finding",
    "InvalidDefinition",
    "call_findings",
    "called_workflows",
    "connection_findings",
    "parse",
    "publish_findings",
    "validate",
]


def validate(document: Any) -> tuple[Finding, ...]:
    """Every finding about a document: errors first, in document order, at most 200. A document without errors is valid.

    document: any value; what is not plain JSON gives findings, too.
    """
    faults = plain_faults(document)
    if faults:
        return in_order(faults)
    findings = shape_findings(document)
    if isinstance(document, dict):
        drawn = outline(document)
        too_large = list(size_findings(drawn))
        findings += too_large
        if not too_large:
            plain, known = Flow(drawn), decisions(drawn)
            flow = Flow(drawn, known) if known else plain
            for layer in (
                graph_findings(drawn, plain),
                constant_findings(drawn, plain, flow, known),
                cycle_findings(drawn, flow),
                repeating_findings(drawn, flow, known),
                resting_findings(drawn, flow, known),
                undoing_findings(drawn, flow),
                meaning_findings(drawn),
                schema_findings(drawn),
                expression_findings(drawn, flow),
            ):
                findings += _enough(layer)
    return in_order(findings)


def _enough(layer: Iterable[Finding]) -> list[Finding]:
    """What a layer finds, until it has found as many errors as are ever shown."""
    found: list[Finding] = []
    errors = 0
    for finding in layer:
        found.append(finding)
        errors += finding.severity == "error"
        if errors > MAX_FINDINGS:
            break
    return found


def parse(document: Any) -> Definition:
    """The definition of a valid document. Raises: InvalidDefinition, with every finding."""
    findings = validate(document)
    if has_errors(findings):
        raise InvalidDefinition(findings)
    return Definition.model_validate(document)
