"""What is carried over between Weft and Serverless Workflow, and what is said of what could not be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from weft_language.findings import Finding, has_errors, in_order, pointer_of


@dataclass(frozen=True, slots=True)
class Carried:
    """A document as it came over. findings: with pointers into the document that it was made of, errors first."""

    document: dict[str, Any]
    findings: tuple[Finding, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing lost its meaning."""
        return not has_errors(self.findings)


@dataclass(slots=True)
class Notes:
    """Collects what is to be said, by how much it matters."""

    said: list[Finding] = field(default_factory=list)

    def lost(self, at: str, message: str, fix: str) -> None:
        """Something has no equal, and without it the document means something else."""
        self.said.append(Finding("error", "not_carried", at, message, fix=fix))

    def changed(self, at: str, message: str, fix: str | None = None) -> None:
        """Something stands otherwise, or needs something more to do the same."""
        self.said.append(Finding("warning", "carried_otherwise", at, message, fix=fix))

    def dropped(self, at: str, *names: str | int, why: str = "has no equal here and no effect on what is done") -> None:
        """Something that changes nothing of what is done is left out. names: below `at`."""
        self.said.append(Finding("info", "left_out", at + pointer_of(*names), f"`{(names or at.split('/'))[-1]}` {why}"))

    def carried(self, document: dict[str, Any]) -> Carried:
        """The document with all that was said."""
        return Carried(document, in_order(self.said))


def below(at: str, *names: str | int) -> str:
    """A pointer to something below a pointer."""
    return at + pointer_of(*names)
