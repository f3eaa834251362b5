"""`with` of the actions that ask a language model."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from weft_language.model.part import ConnectionName, Int, Name, NonEmpty, Number, Part, TemplateText, Text

MAX_TIMEOUT_S: Final = 120.0
MAX_CACHE_S: Final = 30 * 86_400.0
TIER_OF_TENANT: Final = "{{ default(tenant.tier, null) }}"

Tokens = Annotated[Int, Field(ge=1, le=32_768)]
Personal = Literal["email", "phone", "iban", "card", "tax_code", "ip"]
"""Kinds of personal data that are told by their form."""
Words = Annotated[Int, Field(ge=5, le=2_000)]


class AiWith(Part):
    """What every action takes that asks a language model. Its data is given to the model as data, never as instructions."""

    connection: ConnectionName = Field(description="A connection of type `ai`: provider, models, key.")
    fallback: ConnectionName | None = Field(default=None, description="Another one, asked where the first cannot answer.")
    instructions: Text | None = Field(default=None, description="What the author wants, in words. Data belongs in the other fields.")
    tier: Name | None = Field(
        default=TIER_OF_TENANT, description="Which of the connection's `models` is asked: by the tenant's tier when absent."
    )
    max_output_tokens: Tokens | TemplateText = Field(default=1024, description="The model's answer ends there.")
    max_cost: Annotated[Number, Field(gt=0, le=1000)] | None = Field(
        default=None, description="Of one attempt, repair and fallback included; US dollars. What may cost more is not asked."
    )
    temperature: Annotated[Number, Field(ge=0, le=2)] | None = Field(default=None, description="Left to the model when absent.")
    redact: tuple[Personal, ...] = Field(
        default=(), max_length=6, description="Kinds of personal data that are taken out of what the model is given, and put back after it."
    )
    cache_s: Annotated[Number, Field(gt=0, le=MAX_CACHE_S)] | None = Field(
        default=None, description="For how long an answer stands for the same question of the same tenant; not at all when absent. Seconds."
    )
    timeout_s: Annotated[Number, Field(gt=0, le=MAX_TIMEOUT_S)] = Field(default=30.0, description="For one attempt, all in all; seconds.")


class GenerateWith(AiWith):
    """`ai.generate`: a text, or data of a schema, by instructions."""

    instructions: NonEmpty = Field(description="What to write.")
    input: Any = Field(default=None, description="Data to write it from: a text or any JSON value.")
    schema_: dict[str, Any] | None = Field(default=None, alias="schema", description="JSON Schema of the result; a text when absent.")


class ClassifyWith(AiWith):
    """`ai.classify`: one of several categories."""

    input: Any = Field(description="What to classify: a text or any JSON value.")
    categories: tuple[Name, ...] | dict[Name, Text] | TemplateText = Field(description="Their names, or names with what each means.")

    @model_validator(mode="after")
    def _several(self) -> Self:
        if not isinstance(self.categories, str) and not 2 <= len(set(self.categories)) <= 100:
            raise PydanticCustomError("categories", "2 to 100 different categories are needed")
        return self


class SummarizeWith(AiWith):
    """`ai.summarize`: a shorter text of bounded length."""

    input: Any = Field(description="What to summarize: a text or any JSON value.")
    max_words: Words | TemplateText = Field(default=100, description="A longer summary is refused.")
    style: Literal["paragraph", "bullets", "headline"] = "paragraph"
    language: Name | None = Field(default=None, description="Such as `Italian` or `it`; that of the input when absent.")


class ExtractWith(AiWith):
    """`ai.extract`: the entities in a text, or data of a schema."""

    input: Any = Field(description="What to read: a text or any JSON value.")
    entities: tuple[Name, ...] | dict[Name, Text] | None = Field(
        default=None, description="Types of entities, or types with what each means."
    )
    schema_: dict[str, Any] | None = Field(default=None, alias="schema", description="JSON Schema of the result, instead of `entities`.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.entities is None) == (self.schema_ is None):
            raise PydanticCustomError("one_of", "give `entities` or `schema`", {"names": ["entities", "schema"]})
        if self.entities is not None and not 1 <= len(set(self.entities)) <= 100:
            raise PydanticCustomError("entities", "1 to 100 different types of entities are needed")
        return self


class PersonalizeWith(AiWith):
    """`ai.personalize`: a text made to suit one person."""

    content: NonEmpty = Field(description="The text as everybody would get it.")
    user: Any = Field(description="What is known of the person: any JSON value.")
    max_words: Words | TemplateText = Field(default=300, description="A longer text is refused.")
