"""One entry of the node catalog."""

from dataclasses import dataclass
from typing import Any

from weft_language.actions import Action, Category
from weft_language.capabilities import is_executable


@dataclass(frozen=True, slots=True)
class NodeType:
    """What the canvas, the docs and the verifier know about a node type.

    outcomes: those it always has.  outcomes_from: how more come about, for people; None when there are no more.
    any_outcome: whatever a worker says.  waits: the execution certainly rests in it.  errors: codes it can fail with, with their meaning.
    """

    type: str
    title: str
    category: Category
    icon: str
    description: str
    output: dict[str, Any]
    outcomes: tuple[str, ...] = ("done",)
    outcomes_from: str | None = None
    any_outcome: bool = False
    waits: bool = False
    needs_connection: bool = False
    errors: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, action: Action) -> "NodeType":
        """The entry of a connector's action."""
        return cls(
            action.type,
            action.title,
            action.category,
            action.icon,
            action.description,
            action.output,
            waits=True,
            needs_connection=action.needs_connection,
            errors=action.all_errors,
        )

    @property
    def executable(self) -> bool:
        """Whether this release executes it."""
        return is_executable(self.type)

    def as_dict(self, with_schema: dict[str, Any]) -> dict[str, Any]:
        """The entry as `GET /node-types` shows it."""
        return {
            "type": self.type,
            "title": self.title,
            "category": self.category,
            "icon": self.icon,
            "description": self.description,
            "with": with_schema,
            "output": self.output,
            "outcomes": list(self.outcomes),
            "outcomes_from": self.outcomes_from,
            "errors": [{"code": code, "description": text} for code, text in self.errors],
            "needs_connection": self.needs_connection,
            "executable": self.executable,
        }
