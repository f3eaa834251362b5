"""Nodes: the common fields, with `with` read by the node's type."""

from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from weft_language.model.part import (
    NODE_TYPE_PATTERN,
    Bool,
    Identifier,
    Int,
    Name,
    Number,
    Part,
    PositiveDuration,
    ShortText,
    Text,
)
from weft_language.model.part import Duration as DurationText


class Retry(Part):
    """How often and how fast a failed node is tried again."""

    attempts: Int = Field(default=5, ge=1, le=100, description="In all, the first one counted.")
    delay: DurationText = "1s"
    factor: Number = Field(default=2.0, ge=1, le=100, description="What the delay is multiplied with after each attempt.")
    max_delay: DurationText = "5m"
    jitter: Bool = True
    on: tuple[Name, ...] = Field(default=(), max_length=100, description="Only these error codes; all when empty.")
    not_on: tuple[Name, ...] = Field(default=(), max_length=100, description="Never these error codes.")
    deadline: PositiveDuration | None = Field(default=None, description="No attempt starts later than this after the first.")


class Position(Part):
    """Where the canvas draws a node."""

    x: Number
    y: Number


class Compensation(Part):
    """The activity that undoes a node: `activity`, or a connector's action."""

    type: str = Field(pattern=NODE_TYPE_PATTERN, max_length=100)
    with_: dict[str, Any] = Field(default_factory=dict, alias="with")

    @field_validator("type")
    @classmethod
    def _acts(cls, value: str) -> str:
        if value != "activity" and "." not in value:
            message = "a node is undone by an `activity` or by a connector's action, not by `{type}`"
            raise PydanticCustomError("compensation_type", message, {"type": value})
        return value

    @model_validator(mode="after")
    def _read_with(self) -> "Compensation":
        from weft_language.model.work import with_class

        work = with_class(self.type)
        if work is not None:
            work.model_validate(self.with_)
        return self


class Enhancement(Part):
    """Where AI may do better than the node's own work."""

    type: str = Field(pattern=r"^ai\.[a-z][a-z0-9_]*$", max_length=100)
    with_: dict[str, Any] = Field(default_factory=dict, alias="with", validate_default=True)
    min_tier: Name = "premium"
    apply: Literal["replace", "input", "output"] = "replace"

    @field_validator("with_", mode="after")
    @classmethod
    def _read_with(cls, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        from weft_language.model.work import with_class

        work = with_class(info.data["type"]) if "type" in info.data else None
        if work is not None:
            work.model_validate(value)
        return value


class Node(Part):
    """One node of a graph. `with_` is of the class that `WITH_BY_TYPE` names for its type."""

    id: Identifier
    type: str = Field(strict=True, pattern=NODE_TYPE_PATTERN, max_length=100)
    name: ShortText | None = None
    description: Text | None = None
    with_: Any = Field(default_factory=dict, alias="with", validate_default=True)
    retry: Retry | None = None
    timeout: PositiveDuration | None = None
    compensate: Compensation | None = None
    enhance: Enhancement | None = None
    position: Position | None = None

    @field_validator("with_", mode="plain")
    @classmethod
    def _read_with(cls, value: Any, info: ValidationInfo) -> Any:
        from weft_language.model.work import with_class

        node_type = info.data.get("type")
        if node_type is None:
            return value
        work = with_class(node_type)
        if work is None:
            raise PydanticCustomError("unknown_node_type", "unknown node type", {"type": node_type})
        return work.model_validate(value)
