"""From a request's body to a valid definition: reading, unwrapping, validation. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from weft_language import Finding, UnreadableDocument, has_errors, publish_findings, read_document, validate
from weft_runtime.errors import Detail

from weft_definitions.domain import Content
from weft_definitions.errors import InvalidDefinition, InvalidRequest, NotExecutable, Unreadable

STATUSES: Final = ("draft", "active")
_WRAPPING: Final = frozenset({"definition", "status"})


@dataclass(frozen=True, slots=True)
class Sent:
    """A definition as somebody sent it. document: not yet validated.  active: to be published at once.  at: the pointer to it in the body."""

    document: Any
    active: bool = False
    at: str = ""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A valid definition, and what is still worth saying about it. active: to be published at once."""

    content: Content
    findings: tuple[Finding, ...]
    active: bool = False
    at: str = ""


def read(body: bytes, content_type: str) -> Sent:
    """The definition in a body: bare, or wrapped as `{definition, status}`; JSON, or YAML where the content type says so.

    Raises: Unreadable, InvalidRequest.
    """
    try:
        value = read_document(body, content_type or "application/json")
    except UnreadableDocument as error:
        raise Unreadable(str(error), code=error.code) from error
    if not isinstance(value, dict) or "definition" not in value or "nodes" in value or "format" in value:
        return Sent(value)
    unknown = [name for name in value if name not in _WRAPPING]
    details = [Detail(f"/{_token(name)}", "unknown_field", "only definition and status are known here") for name in unknown]
    status = value.get("status", "draft")
    if status not in STATUSES:
        details.append(Detail("/status", "not_allowed", 'status is "draft" (the default) or "active", which publishes at once'))
    if details:
        raise InvalidRequest("the body is neither a definition nor {definition, status}", details=details)
    return Sent(value["definition"], status == "active", "/definition")


def named(sent: Sent, slug: str) -> Sent:
    """The same with `slug` where the definition names none: a change of a workflow keeps its slug whatever its name becomes."""
    if not isinstance(sent.document, dict) or "slug" in sent.document:
        return sent
    return Sent({**sent.document, "slug": slug}, sent.active, sent.at)


def admit(sent: Sent) -> Admitted:
    """The valid definition in what was sent, ready to be published where that was asked for. Raises: InvalidDefinition, NotExecutable."""
    definition, findings = validate(sent.document)
    if definition is None:
        raise InvalidDefinition(
            "the definition has errors; `errors` says where and how to mend them",
            details=details(findings, sent.at),
            extra={"findings": [finding.as_dict() for finding in findings]},
        )
    content = content_of(definition)
    if sent.active:
        require_executable(content.document, sent.at)
    return Admitted(content, findings, sent.active, sent.at)


def require_executable(document: dict[str, Any], at: str = "") -> None:
    """Refuse a valid definition that asks for what the engine cannot execute. Raises: NotExecutable."""
    findings = publish_findings(document)
    if has_errors(findings):
        raise NotExecutable(
            "the definition is valid and asks for what cannot be executed yet; `errors` says what and what to use instead",
            details=details(findings, at),
            extra={"findings": [finding.as_dict() for finding in findings]},
        )


def details(findings: Iterable[Finding], at: str) -> list[Detail]:
    """Errors among findings as an error's details. at: the pointer to the definition in the body."""
    return [
        Detail(at + finding.pointer, finding.code, finding.message if finding.fix is None else f"{finding.message}; {finding.fix}")
        for finding in findings
        if finding.severity == "error"
    ]


def _token(name: str) -> str:
    return name[:100].replace("~", "~0").replace("/", "~1")
