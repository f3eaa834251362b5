"""Whether a template can be kept, and what comes of it: its schema, its placeholders, and the workflow that its example makes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from weft_language import Finding, InvalidSchema, SchemaCheck, has_errors, slug_of, validate
from weft_language.plain import plain_faults, walk
from weft_runtime.errors import Detail

from weft_definitions import documents
from weft_definitions.errors import ParametersInvalid, TemplateInvalid, TierTooLow
from weft_definitions.templates import Content, Point, Template
from weft_definitions.templates.filling import fill, named, with_defaults

MADE_OF: Final = "x-template"
"""Where a workflow says which template it was made of, and by which parameters."""


@dataclass(frozen=True, slots=True)
class MadeBy:
    """What a workflow was made by. enhancements: ids of points; None where it does not tell."""

    parameters: Mapping[str, Any] = field(default_factory=dict)
    enhancements: tuple[str, ...] | None = None

    def still(self, content: Content, tier: str | None) -> list[str] | None:
        """Those of its enhancements that a version of the template still has for a tier; None for the usual ones."""
        if self.enhancements is None:
            return None
        return [point.id for point in content.points if point.id in self.enhancements and point.is_for(tier)]


NOTHING: Final = MadeBy()


def check(content: Content) -> tuple[Finding, ...]:
    """What is still worth saying of a template, by the workflow that its example makes. Raises: TemplateInvalid."""
    wrong = [*_plain(content), *_schema(content.parameters)]
    if not wrong:
        wrong += [*_placeholders(content), *_points(content)]
        wrong += [Detail(f"/example{detail.pointer}", detail.code, detail.detail) for detail in _unfit(content.parameters, content.example)]
    if wrong:
        raise TemplateInvalid("the template has errors; `errors` says where and how to mend them", details=wrong)
    findings = validate(filled(content, content.example, content.points, None))
    if has_errors(findings):
        raise TemplateInvalid(
            "the workflow that its example makes has errors; pointers lead into the definition as filled in",
            details=documents.details(findings, "/definition"),
            extra={"findings": [finding.as_dict() for finding in findings]},
        )
    return findings


def require_parameters(content: Content, given: Mapping[str, Any]) -> None:
    """Refuse parameters that do not fit. Raises: ParametersInvalid."""
    wrong = [Detail(f"/parameters{detail.pointer}", detail.code, detail.detail) for detail in _unfit(content.parameters, given)]
    if wrong:
        raise ParametersInvalid(f"the parameters do not fit template {content.slug}; `errors` says where", details=wrong)


def chosen(content: Content, wanted: Sequence[str] | None, tier: str | None) -> tuple[Point, ...]:
    """The enhancements of a new workflow. wanted: their ids; None for the usual ones that are for this tier.

    Raises: ParametersInvalid, TierTooLow.
    """
    if wanted is None:
        return tuple(point for point in content.points if point.usual and point.is_for(tier))
    known = {point.id: point for point in content.points}
    unknown = [Detail(f"/enhancements/{place}", "unknown", f"the template has no such point; it has {_few(known)}")
               for place, one in enumerate(wanted) if one not in known]  # fmt: skip
    if unknown:
        raise ParametersInvalid("an enhancement is not known", details=unknown)
    low = [Detail(f"/enhancements/{place}", "tier_too_low", f"{one} is for the tier {known[one].min_tier} and up")
           for place, one in enumerate(wanted) if not known[one].is_for(tier)]  # fmt: skip
    if low:
        raise TierTooLow("an enhancement is for a higher tier than the tenant's; leave it out", details=low)
    return tuple(known[one] for one in dict.fromkeys(wanted))


def filled(content: Content, given: Mapping[str, Any], points: Sequence[Point], name: str | None) -> dict[str, Any]:
    """The definition that parameters and enhancements make. name: instead of the definition's own."""
    parameters = with_defaults(content.parameters, given)
    enhancing = {point.node: {**point.enhance, "min_tier": point.min_tier} for point in points}
    document = fill(_enhanced(content.definition, enhancing), content.parameters, parameters)
    if name is not None:
        document["name"] = name
    return document


def made_of(template: Template, given: Mapping[str, Any], points: Sequence[Point]) -> dict[str, Any]:
    """What a workflow keeps of the template that it was made of."""
    return {
        "slug": template.slug,
        "version": template.version,
        "source": template.source,
        "parameters": dict(given),
        "enhancements": [point.id for point in points],
    }


def made_by(document: Mapping[str, Any], template: str) -> MadeBy:
    """What a definition says that it was made by, of a template. Its author may have written anything there."""
    kept = document.get(MADE_OF)
    if not isinstance(kept, Mapping) or kept.get("slug") != template:
        return NOTHING
    parameters, enhancements = kept.get("parameters"), kept.get("enhancements")
    ids = tuple(str(one) for one in enhancements) if isinstance(enhancements, list) else None
    return MadeBy(parameters if isinstance(parameters, Mapping) else {}, ids)


def addressed(document: dict[str, Any], slug: str | None) -> dict[str, Any]:
    """A definition with its slug: the one wanted, else that of its name."""
    own = {name: value for name, value in document.items() if name != "slug"}
    return {**own, "slug": slug or slug_of(str(document.get("name", "")))}


def _enhanced(value: Any, enhancing: Mapping[str, Mapping[str, Any]]) -> Any:
    """A definition whose nodes, in whatever scope, have these enhancements."""
    if isinstance(value, Mapping):
        made = {name: _enhanced(one, enhancing) for name, one in value.items()}
        node = made.get("id")
        return {**made, "enhance": enhancing[node]} if isinstance(node, str) and node in enhancing and "type" in made else made
    return [_enhanced(one, enhancing) for one in value] if isinstance(value, list) else value


def _plain(content: Content) -> Iterator[Detail]:
    for part in ("parameters", "definition", "example"):
        for fault in plain_faults(getattr(content, part)):
            yield Detail(f"/{part}{fault.pointer}", fault.code, fault.message)
    for place, point in enumerate(content.points):
        for fault in plain_faults(point.enhance):
            yield Detail(f"/enhancements/{place}/enhance{fault.pointer}", fault.code, fault.message)


def _schema(schema: Mapping[str, Any]) -> Iterator[Detail]:
    try:
        SchemaCheck(schema)
    except InvalidSchema as error:
        yield Detail(f"/parameters{error.pointer}", error.code, error.message if error.fix is None else f"{error.message}; {error.fix}")
    if schema.get("type", "object") != "object" or not isinstance(schema.get("properties", {}), dict):
        yield Detail("/parameters", "wrong_type", "parameters have names: write a schema of type object with properties")


def _placeholders(content: Content) -> Iterator[Detail]:
    known = content.parameters.get("properties", {})
    for part, value in (("definition", content.definition), ("enhancements", [dict(point.enhance) for point in content.points])):
        for name in sorted(named(value) - known.keys()):
            yield Detail(f"/{part}", "unknown_parameter", f"${{parameters.{name}}} is no parameter; the schema has {_few(known)}")


def _points(content: Content) -> Iterator[Detail]:
    nodes = {
        value["id"]
        for _, value in walk(content.definition)
        if isinstance(value, dict) and "type" in value and isinstance(value.get("id"), str)
    }
    seen: set[str] = set()
    for place, point in enumerate(content.points):
        if point.node not in nodes:
            yield Detail(f"/enhancements/{place}/node", "unknown_node", f"the definition has no node {point.node[:64]!r}")
        if point.id in seen:
            yield Detail(f"/enhancements/{place}/id", "duplicate", "another point has this id")
        seen.add(point.id)


def _few(names: Iterable[str]) -> str:
    """Names to choose from, as many as a person reads."""
    shown = [name[:60] for name in islice(names, 20)]
    return ", ".join(shown) or "none"


def _unfit(schema: Mapping[str, Any], given: Mapping[str, Any]) -> list[Detail]:
    """What is wrong with parameters; one that the schema does not name is, too."""
    known = schema.get("properties", {})
    unknown = [Detail(f"/{documents.token(name)}", "unknown_parameter", f"one of {_few(known)}") for name in given if name not in known]
    errors = SchemaCheck({"type": "object", **schema}).errors(with_defaults(schema, given))
    return unknown + [Detail(pointer, code, detail) for pointer, code, detail in errors]
