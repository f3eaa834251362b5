"""The ground every part of a definition stands on, and the kinds of text that parts are made of."""

from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from weft_language.model.durations import InvalidDuration, InvalidTime, parse_duration, parse_time

EXTENSION_PREFIX: Final = "x-"
ID_PATTERN: Final = r"^[A-Za-z_][A-Za-z0-9_]{0,63}$"
SLUG_PATTERN: Final = r"^[a-z0-9](-?[a-z0-9])*$"
CONNECTION_PATTERN: Final = r"^[A-Za-z0-9](?:[A-Za-z0-9_. -]{0,98}[A-Za-z0-9])?$"
"""Names of connections: letters and digits, with `_`, `-`, `.` and spaces between them."""
RENDERED: Final = "rendered"
"""The validation context of a `with` whose templates have been rendered: each field has a value of its own type."""
NODE_TYPE_PATTERN: Final = r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$"


def _extension(name: str) -> str:
    """Keys that start with `x-` are kept and ignored; any other unknown key is refused."""
    if not name.startswith(EXTENSION_PREFIX):
        raise PydanticCustomError("unknown_field", "unknown field")
    return name


class Part(BaseModel):
    """A part of a definition: immutable, no unknown fields except `x-` keys, nothing converted silently."""

    model_config = ConfigDict(extra="allow", frozen=True, validate_by_alias=True, validate_by_name=False, regex_engine="rust-regex")
    __pydantic_extra__: dict[Annotated[str, AfterValidator(_extension)], Any] = Field(init=False)

    def given(self, name: str) -> bool:
        """Whether the author wrote this field (by its Python name) rather than leaving the default."""
        return name in self.model_fields_set


def is_template(value: Any) -> bool:
    """Whether a value is a text that holds `{{ expression }}`."""
    return isinstance(value, str) and "{{" in value


def _duration(text: str) -> str:
    try:
        parse_duration(text)
    except InvalidDuration as error:
        raise PydanticCustomError("invalid_duration", "{detail}", {"detail": str(error)}) from error
    return text


def _positive_duration(text: str) -> str:
    if parse_duration(_duration(text)) <= 0:
        raise PydanticCustomError("invalid_duration", "{detail}", {"detail": "the duration must be longer than 0"})
    return text


def _time(text: str) -> str:
    try:
        parse_time(text)
    except InvalidTime as error:
        raise PydanticCustomError("invalid_time", "{detail}", {"detail": str(error)}) from error
    return text


def _duration_template(text: str) -> str:
    return text if is_template(text) else _duration(text)


def _time_template(text: str) -> str:
    return text if is_template(text) else _time(text)


def _due_template(text: str) -> str:
    if is_template(text):
        return text
    try:
        parse_time(text)
    except InvalidTime:
        return _duration(text)
    return text


def _template(text: str, info: ValidationInfo) -> str:
    # What has been rendered holds no template any more, whatever its text looks like.
    if not is_template(text) or info.context == RENDERED:
        raise PydanticCustomError("not_a_template", "expected a value of the field's type, or a template `{{ ... }}`")
    return text


Text = Annotated[str, Strict(), Field(max_length=65_536)]
"""Any text; inside `with` it may be a template."""
NonEmpty = Annotated[Text, Field(min_length=1)]
ShortText = Annotated[str, Strict(), Field(min_length=1, max_length=255)]
Identifier = Annotated[str, Strict(), Field(pattern=ID_PATTERN)]
Slug = Annotated[str, Strict(), Field(pattern=SLUG_PATTERN, max_length=100)]
Outcome = Annotated[str, Strict(), Field(pattern=r"^[^\s/\x00-\x1f](?:[^/\x00-\x1f]{0,62}[^\s/\x00-\x1f])?$")]
"""The name of an outcome, a signal or a decision: 1 to 64 characters, no slash, no space at its ends."""
Name = Annotated[str, Strict(), Field(min_length=1, max_length=128)]
Cel = Annotated[str, Strict(), Field(min_length=1)]
"""A CEL expression, without braces around it."""
_DURATION_SCHEMA: Final = {"type": "string", "description": "A duration.", "examples": ["30s", "5m", "2h", "3d", "PT30S"]}
_TIME_SCHEMA: Final = {"type": "string", "description": "A time with its offset.", "examples": ["2026-11-20T09:00:00+01:00"]}
Duration = Annotated[str, Strict(), AfterValidator(_duration), WithJsonSchema(_DURATION_SCHEMA)]
PositiveDuration = Annotated[str, Strict(), AfterValidator(_positive_duration), WithJsonSchema(_DURATION_SCHEMA)]
Time = Annotated[str, Strict(), AfterValidator(_time), WithJsonSchema(_TIME_SCHEMA)]
DurationTemplate = Annotated[str, Strict(), AfterValidator(_duration_template), WithJsonSchema(_DURATION_SCHEMA)]
TimeTemplate = Annotated[str, Strict(), AfterValidator(_time_template), WithJsonSchema(_TIME_SCHEMA)]
DueTemplate = Annotated[str, Strict(), AfterValidator(_due_template), WithJsonSchema(_DURATION_SCHEMA)]
TemplateText = Annotated[str, Strict(), AfterValidator(_template), WithJsonSchema({"type": "string", "pattern": "\\{\\{"})]
"""A template where the field itself is no text: `"{{ input.priority }}"` for a number."""
Int = Annotated[int, Strict()]
Bool = Annotated[bool, Strict()]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
ConnectionName = Annotated[str, Strict(), Field(pattern=CONNECTION_PATTERN)]
"""A connection of the tenant, by its name as it is: no template, so that everybody can see which one a node goes by."""
Values = dict[Name, Any]
"""A map of names to JSON values, whose strings are templates."""
Schema = dict[str, Any] | Bool
"""A JSON Schema 2020-12."""
