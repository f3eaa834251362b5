"""From a request's body to a valid definition: reading, unwrapping, validation. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from pydantic import ValidationError
from weft_language import (
    Definition,
    Finding,
    UnreadableDocument,
    call_findings,
    called_workflows,
    connection_findings,
    difference,
    has_errors,
    publish_findings,
    read_document,
    validate,
)
from weft_runtime.errors import Detail

from weft_definitions.domain import Content, content_of
from weft_definitions.errors import InvalidDefinition, InvalidRequest, NotExecutable, Unreadable, UnsupportedMediaType

STATUSES: Final = ("draft", "active")
_WRAPPING: Final = frozenset({"definition", "status"})


@dataclass(frozen=True, slots=True)
class Sent:
    """A definition as somebody sent it.

    document: not yet validated.  active: to be published at once.  at: the pointer to it in the body.
    """

    document: Any
    active: bool = False
    at: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What a tenant has of what a definition may name. connections: the type of each, by name.

    published: the published versions of the workflows that it calls, of those that are there.  slugs: of workflows, for proposals.
    """

    connections: Mapping[str, str]
    published: Mapping[str, Collection[int]] = field(default_factory=dict)
    slugs: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Admitted:
    """A valid definition, and what is still worth saying about it. active: to be published at once."""

    content: Content
    findings: tuple[Finding, ...]
    active: bool = False


def read(body: bytes, content_type: str | None) -> Sent:
    """The definition in a body: bare, or wrapped as `{definition, status}`; JSON, or YAML where the content type says so.

    Raises: UnsupportedMediaType, Unreadable, InvalidRequest.
    """
    value = read_plain(body, content_type)
    if not isinstance(value, dict) or "definition" not in value or "nodes" in value or "format" in value:
        return Sent(value)
    unknown = [name for name in value if name not in _WRAPPING]
    details = [Detail(f"/{token(name)}", "unknown_field", "only definition and status are known here") for name in unknown]
    status = value.get("status", "draft")
    if status not in STATUSES:
        details.append(Detail("/status", "not_allowed", 'status is "draft" (the default) or "active", which publishes at once'))
    if details:
        raise InvalidRequest("the body is neither a definition nor {definition, status}", details=details)
    return Sent(value["definition"], status == "active", "/definition")


def read_plain(body: bytes, content_type: str | None) -> Any:
    """The plain value in a body: JSON, or YAML where the content type says so. Raises: UnsupportedMediaType, Unreadable."""
    media_type = (content_type or "application/json").partition(";")[0].strip().lower()
    if not (media_type.endswith(("/json", "+json")) or "yaml" in media_type):
        raise UnsupportedMediaType(f"a definition is read as application/json or application/yaml, not as {media_type[:100]}")
    try:
        return read_document(body, media_type)
    except UnreadableDocument as error:
        raise Unreadable(str(error), code=error.code) from error


def named(sent: Sent, slug: str) -> Sent:
    """The same with `slug` where the definition names none: a change of a workflow keeps its slug whatever its name becomes."""
    if not isinstance(sent.document, dict) or "slug" in sent.document:
        return sent
    return Sent({**sent.document, "slug": slug}, sent.active, sent.at)


def called(sent: Sent) -> frozenset[str]:
    """The slugs of the workflows that what was sent calls."""
    return called_workflows(sent.document)


def admit(sent: Sent, known: Known) -> Admitted:
    """The valid definition in what was sent, ready to be published where that was asked for. Raises: InvalidDefinition, NotExecutable."""
    findings = validate(sent.document)
    if has_errors(findings):
        raise _invalid(findings, sent.at)
    definition = Definition.model_validate(sent.document)
    if sent.active:
        _require_executable(definition, sent.at)
    return Admitted(content_of(definition), (*findings, *_missing(sent, known)), sent.active)


def admit_stored(document: dict[str, Any], known: Known) -> Admitted:
    """A version saved before, ready to be published. Raises: InvalidDefinition where it is valid no more, NotExecutable."""
    return admit(Sent(document, active=True), known)


def verdict(sent: Sent, known: Known | None = None) -> tuple[bool, bool, list[Finding]]:
    """Whether what was sent can be saved, whether it can be published, and all findings with pointers into the body.

    What only keeps it from being published is a warning here.
    known: None where it is not known what the tenant has, and nothing said of that.
    """
    found = list(validate(sent.document))
    valid = not has_errors(found)
    refused = publish_findings(Definition.model_validate(sent.document)) if valid else ()
    found += [replace(finding, severity="warning") for finding in refused]
    found += _missing(sent, known) if valid and known is not None else ()
    return valid, valid and not has_errors(refused), in_body(found, sent.at)


def compare(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What differs between two stored definitions, as the API shows it."""
    return difference(Definition.model_validate(before), Definition.model_validate(after)).as_dict()


def changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any] | None:
    """The same of a definition that takes the place of another; None where that one is of a release that took what this one does not."""
    try:
        return compare(before, after)
    except ValidationError:
        return None


def _missing(sent: Sent, known: Known) -> tuple[Finding, ...]:
    return connection_findings(sent.document, known.connections) + call_findings(sent.document, known.published, known.slugs)


def _require_executable(definition: Definition, at: str) -> None:
    findings = publish_findings(definition)
    if has_errors(findings):
        raise NotExecutable(
            "the definition is valid and asks for what cannot be executed yet; `errors` says what and what to use instead",
            details=details(findings, at),
            extra={"findings": [finding.as_dict() for finding in in_body(findings, at)]},
        )


def _invalid(findings: Iterable[Finding], at: str) -> InvalidDefinition:
    return InvalidDefinition(
        "the definition has errors; `errors` says where and how to mend them",
        details=details(findings, at),
        extra={"findings": [finding.as_dict() for finding in in_body(findings, at)]},
    )


def in_body(findings: Iterable[Finding], at: str) -> list[Finding]:
    """The same findings with pointers into the body. at: the pointer to the definition there."""
    return [replace(finding, pointer=at + finding.pointer) for finding in findings]


def details(findings: Iterable[Finding], at: str) -> list[Detail]:
    """Errors among findings as an error's details. at: the pointer to the definition in the body."""
    return [
        Detail(at + finding.pointer, finding.code, finding.message if finding.fix is None else f"{finding.message}; {finding.fix}")
        for finding in findings
        if finding.severity == "error"
    ]


def token(name: str) -> str:
    """A member's name as a part of a pointer, cut short."""
    return name[:100].replace("~", "~0").replace("/", "~1")
