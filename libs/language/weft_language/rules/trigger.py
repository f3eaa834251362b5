"""What a rule watches, and the trigger that it means."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, Strict, field_validator, model_validator
from pydantic_core import PydanticCustomError

from weft_language.expressions import Expression, ExpressionError, compile_conditions
from weft_language.records import InvalidField, read_field
from weft_language.rules.part import FieldName, RulePart, is_deeper
from weft_language.rules.quoting import literal, path

Operation = Literal["create", "update", "delete"]
_HAPPENED: Final[dict[str, str]] = {"create": "created", "update": "updated", "delete": "deleted"}


class RuleTrigger(RulePart):
    """What begins a rule: a row of a watched table changes, or a domain event tells the same.

    source: `record` for rows of the table that `entity_type` names; `event` for domain events `<entity_type>.created`, `.updated` and
    `.deleted`, whose data is what changed.
    """

    entity_type: Annotated[str, Strict(), Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:-]*$")] = Field(
        description="What is watched, such as orders: a table as its source calls it, or what events are about."
    )
    operation: Operation
    field_conditions: Annotated[dict[FieldName, Any], Field(max_length=100)] = Field(
        default_factory=dict, description="What fields are to be: a value that each equals, or {operator: value} as in `record` triggers."
    )
    priority: Annotated[int, Strict()] = Field(default=100, ge=0, le=1_000_000, description="Smaller is considered first.")
    source: Literal["record", "event"] = Field(default="record", description="Whether rows of a table or domain events are watched.")

    @field_validator("field_conditions")
    @classmethod
    def _plain(cls, given: dict[str, Any]) -> dict[str, Any]:
        if is_deeper(given):
            raise PydanticCustomError("too_deep", "should not be nested over 8 levels")
        return given

    @model_validator(mode="after")
    def _readable(self) -> RuleTrigger:
        for name, wanted in self.field_conditions.items():
            field_expression(self, name, wanted, "field_conditions")
        return self

    @property
    def row(self) -> str:
        """The CEL of what changed, whose members are its fields."""
        return "trigger.payload.record" if self.source == "record" else "trigger.payload"


def field_expression(trigger: RuleTrigger, name: str, wanted: Any, where: str) -> Expression:
    """The condition on one field, compiled. where: what an error is about.  Raises: PydanticCustomError."""
    try:
        return compile_conditions(field_conditions(trigger, name, wanted))
    except (InvalidField, ExpressionError) as error:
        raise PydanticCustomError("field_condition", "`{where}`: {detail}", {"where": where, "detail": str(error)}) from error


def field_conditions(trigger: RuleTrigger, name: str, wanted: Any) -> dict[str, Any]:
    """The condition on one field, as data of the language; what is written in it stays a value. Raises: InvalidField."""
    operators = wanted if isinstance(wanted, dict) else {}
    if trigger.source == "event" and any(str(op).startswith("changed") for op in operators):
        raise InvalidField(f"`{name}`: a domain event does not tell what was before; watch the rows of the table (`source: record`)")
    return read_field(name, literal(wanted), path(trigger.row, name))


def event_type(trigger: RuleTrigger) -> str:
    """The type of the events in the log that a rule is considered for."""
    if trigger.source == "record":
        return f"record.{trigger.entity_type}.{trigger.operation}"
    return f"{trigger.entity_type}.{_HAPPENED[trigger.operation]}"
