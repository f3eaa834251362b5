"""Edges: where an execution goes when a node has ended."""

from pydantic import Field

from weft_language.model.part import Cel, Identifier, Outcome, Part, ShortText


class Edge(Part):
    """`{from, to, on, when, label}`: taken when `from` ends with outcome `on` and `when` is absent or true."""

    source: Identifier = Field(alias="from", description="The node this edge leaves.")
    to: Identifier = Field(description="The node it leads to, in the same graph.")
    on: Outcome = Field(default="done", description="The outcome it is for.")
    when: Cel | None = Field(default=None, description="A CEL guard; the first edge whose guard is absent or true is taken.")
    label: ShortText | None = Field(default=None, description="Shown on the canvas.")
