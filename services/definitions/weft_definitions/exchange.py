"""Definitions as files: what one is written as, and from a file to what is to be saved. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from weft_language import Definition, Finding, UnreadableDocument, read_document, slug_of, write_yaml
from weft_language.serverless import is_serverless, read_serverless, write_serverless
from weft_runtime.errors import Detail, WeftError

from weft_definitions import documents
from weft_definitions.documents import Known, Sent
from weft_definitions.domain import Version
from weft_definitions.errors import InvalidRequest, NotCarriedOver, Unreadable

Format = Literal["weft", "yaml", "serverless-workflow"]
FORMATS: Final = ("weft", "yaml", "serverless-workflow")
_ENDINGS: Final[Mapping[str, str]] = {"weft": "weft.json", "yaml": "weft.yaml", "serverless-workflow": "sw.json"}
_WRAPPING: Final = frozenset({"format", "document", "definition", "slug"})


@dataclass(frozen=True, slots=True)
class Exported:
    """A definition as a file. findings: what it could not carry over, with pointers into the definition."""

    body: bytes
    media_type: str
    filename: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """A file as a definition, not yet validated. findings: with pointers into the file."""

    format: Format
    sent: Sent
    findings: tuple[Finding, ...] = ()

    @property
    def slug(self) -> str | None:
        """The slug of the workflow that it is or will be; None where it can have none."""
        document = self.sent.document
        if not isinstance(document, dict):
            return None
        given = document.get("slug")
        if given is None and isinstance(document.get("name"), str):
            return slug_of(document["name"])
        return given if isinstance(given, str) else None

    @property
    def lost(self) -> bool:
        """Whether it would mean something else."""
        return any(finding.severity == "error" for finding in self.findings)


def export(slug: str, version: Version, wanted: Format) -> Exported:
    """A version of a workflow as a file."""
    filename = f"{slug}.v{version.number}.{_ENDINGS[wanted]}"
    if wanted == "yaml":
        return Exported(write_yaml(version.document).encode(), "application/yaml", filename)
    if wanted == "weft":
        return Exported(_json(version.document), "application/json", filename)
    carried = write_serverless(Definition.model_validate(version.document), version.number)
    return Exported(_json(carried.document), "application/json", filename, carried.findings)


def read(body: bytes, content_type: str | None, named: Format | None, slug: str | None) -> Imported:
    """What a file means: a definition, or a Serverless Workflow; JSON, or YAML where the content type says so.

    A body may wrap it: `{format, document, slug}`, the document as it is or as a text; a definition may be called so there.
    named, slug: of the query; the format is seen by the document where nobody names it, the slug is its own.
    Raises: UnsupportedMediaType, Unreadable, InvalidRequest.
    """
    value = documents.read_plain(body, content_type)
    at = ""
    if isinstance(value, dict) and value.keys() & {"document", "definition"} and not value.keys() & {"nodes", "do", "name"}:
        named, slug, value, at = _unwrapped(value, named, slug)
    serverless = is_serverless(value) if named is None else named == "serverless-workflow"
    if serverless and not isinstance(value, dict):
        raise InvalidRequest(
            "a Serverless Workflow is an object with `document` and `do`", details=[Detail(at, "wrong_type", "send an object")]
        )
    carried = read_serverless(value) if serverless else None
    document = value if carried is None else carried.document
    if slug is not None and isinstance(document, dict):
        document = {**document, "slug": slug}
    found = () if carried is None else tuple(documents.in_body(carried.findings, at))
    kind: Format = "serverless-workflow" if serverless else named or ("yaml" if "yaml" in (content_type or "").lower() else "weft")
    return Imported(kind, Sent(document, at=at if carried is None else ""), found)


def require_carried(imported: Imported) -> None:
    """Refuse what would mean something else than the file. Raises: NotCarriedOver."""
    if imported.lost:
        raise NotCarriedOver(
            "parts of the document have no equal here; `errors` names them, and `definition` is what the rest becomes",
            details=documents.details(imported.findings, ""),
            extra={"findings": [one.as_dict() for one in imported.findings], "definition": imported.sent.document},
        )


def explained(error: WeftError, imported: Imported) -> WeftError:
    """A refusal of a definition that was made of another document, with that definition, which its pointers are into."""
    if imported.format == "serverless-workflow":
        error.extra = {**(error.extra or {}), "definition": imported.sent.document, "carried": [one.as_dict() for one in imported.findings]}
    return error


def verdict(imported: Imported, known: Known) -> tuple[bool, list[Finding]]:
    """Whether it can be imported, and all there is to say: of what was carried over first, then of the definition."""
    valid, _, findings = documents.verdict(imported.sent, known)
    return valid and not imported.lost, [*imported.findings, *findings]


def _unwrapped(value: Mapping[str, Any], named: Format | None, slug: str | None) -> tuple[Format | None, str | None, Any, str]:
    details = [
        Detail(f"/{documents.token(name)}", "unknown_field", "only format, document and slug are known here")
        for name in value
        if name not in _WRAPPING
    ]
    if value.get("format", "weft") not in FORMATS:
        details.append(Detail("/format", "not_allowed", f"one of {', '.join(FORMATS)}"))
    if not isinstance(value.get("slug", ""), str):
        details.append(Detail("/slug", "wrong_type", "a slug is a text"))
    word = "document" if "document" in value else "definition"
    if "definition" in value and word == "document":
        details.append(Detail("/definition", "one_of", "give `document` or `definition`, not both"))
    document = value[word]
    if isinstance(document, str):
        try:
            document = read_document(document, "application/json" if document.lstrip()[:1] == "{" else "application/yaml")
        except UnreadableDocument as error:
            raise Unreadable(f"the document: {error}", code=error.code) from error
    if details:
        raise InvalidRequest("the body is neither a document nor {format, document, slug}", details=details)
    return named or value.get("format"), slug or value.get("slug"), document, f"/{word}"


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
