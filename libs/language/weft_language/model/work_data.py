"""`with` of the nodes that set, choose and group: set, transform, if, switch, group, parallel, foreach, loop."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from weft_language.model.edge import Edge
from weft_language.model.node import Node
from weft_language.model.part import Cel, Identifier, Int, Name, Outcome, Part, TemplateText

Conditions = dict[str, Any]


def exactly_one(part: Part, *names: str) -> None:
    """Refuse a part that gives none or several of these fields (by alias). Raises: PydanticCustomError `one_of`."""
    fields = type(part).model_fields
    aliases = {field.alias or name: name for name, field in fields.items()}
    given = [name for name in names if getattr(part, aliases[name]) is not None]
    if len(given) != 1:
        choice = " or ".join(f"`{name}`" for name in names)
        found = "both are given" if given else "neither is given"
        raise PydanticCustomError("one_of", "give either {choice}; {found}", {"choice": choice, "found": found})


class SetWith(Part):
    """`set`: a map of variable name to value. Its members are the variables themselves."""

    __pydantic_extra__: dict[Name, Any] = Field(init=False)

    @property
    def values(self) -> dict[str, Any]:
        """The variables in listed order, without `x-` keys."""
        return {name: value for name, value in (self.__pydantic_extra__ or {}).items() if not name.startswith("x-")}


class TransformWith(Part):
    """`transform`: one expression, or a map of names to values."""

    expression: Cel | None = Field(default=None, description="CEL; its value is the node's output.")
    map: dict[Name, Any] | None = Field(default=None, description="Names to values with templates; the output is the object.")

    @model_validator(mode="after")
    def _one(self) -> "TransformWith":
        exactly_one(self, "expression", "map")
        return self


class IfWith(Part):
    """`if`: a CEL condition, or conditions as data."""

    when: Cel | None = Field(default=None, description="CEL; true or false.")
    conditions: Conditions | None = Field(default=None, description="Conditions as data: all, any or none of {left, op, right}.")

    @model_validator(mode="after")
    def _one(self) -> "IfWith":
        exactly_one(self, "when", "conditions")
        return self


class SwitchCase(Part):
    """One case of a `switch`."""

    when: Cel
    outcome: Outcome


class SwitchWith(Part):
    """`switch`: the outcome of the first case that holds, else `default`, else `done`."""

    cases: tuple[SwitchCase, ...] = Field(min_length=1, max_length=200)
    default: Outcome | None = None


class Graph(Part):
    """A graph of nodes with one position: a scope."""

    nodes: tuple[Node, ...] = Field(min_length=1, max_length=1000)
    edges: tuple[Edge, ...] = Field(default=(), max_length=5000, description="Without any, the nodes run in listed order.")
    start: Identifier | None = Field(default=None, description="The first node, unless another is named.")


class GroupWith(Graph):
    """`group`: a try/catch, timeout and compensation scope."""


class ParallelWith(Part):
    """`parallel`: branches that run at once."""

    branches: dict[Identifier, Graph] = Field(min_length=1, max_length=100)
    join: Literal["all", "any"] | Annotated[Int, Field(ge=1, le=100)] = "all"
    on_error: Literal["fail", "wait"] = "fail"


class ForeachWith(Part):
    """`foreach`: a body for each item of a list."""

    items: list[Any] | TemplateText
    as_: Identifier = Field(default="item", alias="as")
    body: Graph
    concurrency: Annotated[Int, Field(ge=1, le=1000)] | TemplateText = 1
    on_error: Literal["fail", "continue"] = "fail"
    max_items: Int = Field(default=10_000, ge=1, le=100_000)


class LoopWith(Part):
    """`loop`: a body again and again, `while` a condition holds or `until` one does."""

    while_: Cel | None = Field(default=None, alias="while", description="CEL, read before each iteration.")
    until: Cel | None = Field(default=None, description="CEL, read after each iteration.")
    body: Graph
    max_iterations: Int = Field(default=1000, ge=1, le=100_000)

    @model_validator(mode="after")
    def _one(self) -> "LoopWith":
        exactly_one(self, "while", "until")
        return self
