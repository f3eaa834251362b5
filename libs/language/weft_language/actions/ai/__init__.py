"""`ai`: language models, by the provider that a connection names."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from weft_language.actions.action import Action, Error, Fault, Takes, calling_errors
from weft_language.actions.ai.model import AiWith, ClassifyWith, ExtractWith, GenerateWith, PersonalizeWith, SummarizeWith
from weft_language.json_schemas import InvalidSchema, SchemaCheck

_NUMBER: Final[dict[str, Any]] = {"type": "number", "minimum": 0}
_COUNT: Final[dict[str, Any]] = {"type": "integer", "minimum": 0}
USAGE: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "provider": {"type": "string"},
        "connection": {"type": "string", "description": "The one that answered."},
        "model": {"type": "string"},
        "calls": {**_COUNT, "description": "Answers that were paid for: 2 after a repair."},
        "input_tokens": _COUNT,
        "output_tokens": _COUNT,
        "cost": {"type": ["number", "null"], "minimum": 0, "description": "US dollars; null where the model's price is not known."},
        "cached": {"type": "boolean", "description": "Whether the answer is one of before: nobody was asked, and nothing paid for."},
    },
    "required": ["provider", "connection", "model", "calls", "input_tokens", "output_tokens", "cost", "cached"],
}
ERRORS: Final[tuple[Error, ...]] = (
    *calling_errors("ai"),
    ("ai_unavailable", "the provider is down or overloaded (5xx)"),
    ("ai_rate_limited", "the provider takes no more for now (429)"),
    ("ai_unauthorized", "the provider does not take the connection's key, or it has no credit left; permanent"),
    ("ai_invalid", "the model's answer is not what was asked for, nor was the repaired one; permanent"),
    ("ai_refused", "the model, or its provider's filter, refused to answer; permanent"),
    (
        "ai_over_budget",
        "the call may cost more than `max_cost` or a budget leaves, or its price is not known; nothing was asked; permanent",
    ),
    ("ai_budget_unavailable", "the budgets could not be read at this moment; nothing was asked"),
)
_AS_WRITTEN: Final = ("connection", "fallback", "schema", "max_cost", "temperature", "redact", "cache_s", "timeout_s", "style")
_TAKES: Final[tuple[tuple[str, Takes], ...]] = (("max_output_tokens", "number"), ("max_words", "number"))


def _schema(with_: Mapping[str, Any]) -> Iterator[Fault]:
    schema = with_.get("schema")
    if isinstance(schema, Mapping):
        try:
            SchemaCheck(schema)
        except InvalidSchema as error:
            yield Fault(f"schema{error.pointer}", error.message, error.fix or "give a JSON Schema 2020-12", error.code)


def _output(result: dict[str, Any], **more: dict[str, Any]) -> dict[str, Any]:
    members = {"result": result, "usage": USAGE, **more}
    return {"type": "object", "properties": members, "required": list(members)}


def _action(verb: str, title: str, icon: str, description: str, with_: type[AiWith], output: dict[str, Any]) -> Action:
    fields = {field.alias or name for name, field in with_.model_fields.items()}
    return Action(
        f"ai.{verb}", title, icon, description, with_, output,
        errors=ERRORS, connections=("ai",), as_written=tuple(name for name in _AS_WRITTEN if name in fields),
        takes=tuple((name, kind) for name, kind in _TAKES if name in fields), check=_schema,
    )  # fmt: skip


_TEXT: Final[dict[str, Any]] = {"type": "string"}
_CUT: Final[dict[str, Any]] = {"type": "boolean", "description": "Whether the text ends at `max_output_tokens`."}
_SURE: Final[dict[str, Any]] = {"type": "number", "minimum": 0, "maximum": 1, "description": "As the model says."}

ACTIONS: Final = (
    _action(
        "generate", "Generate with AI", "sparkles", "Writes a text, or data of a schema, by instructions.", GenerateWith,
        _output({"description": "A text, or the data when `schema` is given."}, truncated=_CUT),
    ),
    _action(
        "classify", "Classify with AI", "tags", "Puts something into one of several categories.", ClassifyWith,
        _output({**_TEXT, "description": "One of `categories`."}, confidence=_SURE, reason=_TEXT),
    ),
    _action(
        "summarize", "Summarize with AI", "align-left", "Says something in fewer words.", SummarizeWith,
        _output({**_TEXT, "description": "At most `max_words` words."}),
    ),
    _action(
        "extract", "Extract with AI", "scan-text", "Finds entities, or data of a schema, in something.", ExtractWith,
        _output({"description": "A list of {type, text}, or the data when `schema` is given."}),
    ),
    _action(
        "personalize", "Personalize with AI", "user-pen", "Makes a text suit one person.", PersonalizeWith, _output(_TEXT),
    ),
)  # fmt: skip
