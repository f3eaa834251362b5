"""One code of a finding."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FindingCode:
    """A code with what it says. severity: of its findings; where it depends, all of them, such as "error, warning"."""

    code: str
    severity: str
    meaning: str
    fix: str

    def allows(self, severity: str) -> bool:
        """Whether its findings may have this severity."""
        return severity in self.severity.split(", ")
