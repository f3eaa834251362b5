"""Findings: what a validation says about a document, in words that tell how to mend it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "info"]

MAX_FINDINGS = 200
_RANK: dict[str, int] = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, doubtful or worth knowing.

    code: stable, snake case.  pointer: RFC 6901, "" is the whole document.  node: id of the node it stands in, if any.
    fix: a proposed mend for a person.  patch: the same as RFC 6902 operations, where it can be said exactly.
    """

    severity: Severity
    code: str
    pointer: str
    message: str
    node: str | None = None
    fix: str | None = None
    patch: tuple[dict[str, Any], ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The finding as the HTTP API shows it; `patch` only where there is one."""
        shown: dict[str, Any] = {
            "severity": self.severity,
            "code": self.code,
            "pointer": self.pointer,
            "node": self.node,
            "message": self.message,
            "fix": self.fix,
        }
        if self.patch is not None:
            shown["patch"] = list(self.patch)
        return shown


class InvalidDefinition(ValueError):
    """A document is no valid definition. Carries every finding, errors first."""

    code = "invalid_definition"

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        self.findings = findings
        errors = [finding for finding in findings if finding.severity == "error"]
        first = f": {errors[0].message} (at {errors[0].pointer or 'the top'})" if errors else ""
        super().__init__(f"the definition has {len(errors)} error(s){first}")


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether any finding is an error, which is what makes a document invalid."""
    return any(finding.severity == "error" for finding in findings)


def pointer_of(*parts: str | int) -> str:
    """The RFC 6901 pointer of a path of member names and list positions."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def _place(pointer: str) -> tuple[tuple[int, str], ...]:
    """A key that orders list positions as numbers, so /nodes/2 stands before /nodes/10."""
    return tuple((int(part), "") if part.isdecimal() and len(part) < 9 else (-1, part) for part in pointer.split("/"))


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings without repeats, errors first, then by place and code; at most `MAX_FINDINGS`.

    What does not fit is counted in a last finding of severity info, code `more_findings`.
    """
    unique: dict[tuple[str, str, str], Finding] = {}
    for finding in findings:
        unique.setdefault((finding.code, finding.pointer, finding.message), finding)
    ordered = sorted(unique.values(), key=lambda f: (_RANK[f.severity], _place(f.pointer), f.code, f.message))
    if len(ordered) <= MAX_FINDINGS:
        return tuple(ordered)
    left = len(ordered) - MAX_FINDINGS + 1
    note = Finding("info", "more_findings", "", f"{left} more findings are not shown", fix="mend those shown first")
    return (*ordered[: MAX_FINDINGS - 1], note)
