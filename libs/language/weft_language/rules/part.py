"""The ground every part of a rule stands on."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, Strict

MAX_VALUE_DEPTH: Final = 8


class RulePart(BaseModel):
    """A part of a rule: immutable, no unknown fields, nothing converted silently."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_alias=True, validate_by_name=False, regex_engine="rust-regex")


FieldName = Annotated[str, Strict(), Field(min_length=1, max_length=128, pattern=r"^[^\"\\\x00-\x1f\x7f]+$")]
"""A field of what a rule watches: its name, or of a value inside another the way there with dots."""
Line = Annotated[str, Strict(), Field(min_length=1, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""A text in one line."""


def is_deeper(value: Any, levels: int = MAX_VALUE_DEPTH) -> bool:
    """Whether a JSON value is nested over so many levels."""
    if not isinstance(value, list | dict):
        return False
    return levels <= 0 or any(is_deeper(one, levels - 1) for one in (value.values() if isinstance(value, dict) else value))
