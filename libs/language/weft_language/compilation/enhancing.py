"""Enhancement points, compiled: what a model is asked in a node's place, before its work or after it, and whether its result will do."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from weft_language.compilation import work
from weft_language.enhancing import Apply
from weft_language.expressions import Template, constant_template
from weft_language.json_schemas import SchemaCheck
from weft_language.model.part import RENDERED
from weft_language.model.work import with_class


@dataclass(frozen=True, slots=True)
class EnhanceWork:
    """What a model is asked for a node. asks: the action, as a worker does it.  timeout_s: seconds, after which the node's own work stands.

    own: the node's whole `with`, rendered to be checked with the members that a model gave; None where `apply` is not `input`, or where it
    holds graphs.  members: that a model may give.  output: of a connector's action, checked.
    """

    asks: work.ConnectorWork
    apply: Apply
    min_tier: str
    timeout_s: float
    own: Template | None = None
    members: frozenset[str] = frozenset()
    output: SchemaCheck | None = None

    def fault(self, own: work.Work, result: Any) -> str | None:
        """Why a result cannot stand for the node's work or output, None where it can."""
        if isinstance(own, work.IfWork):
            return None if isinstance(result, bool) else "it is not true or false"
        if isinstance(own, work.SwitchWork):
            outcomes = sorted({own.default, *(case.outcome for case in own.cases)})
            return None if result in outcomes else f"it is none of {', '.join(outcomes)}"
        if isinstance(own, work.SetWork):
            names = {name for name, _ in own.values}
            fits = isinstance(result, dict) and set(result) == names
            return None if fits else f"it is no object of exactly {', '.join(sorted(names))}"
        if isinstance(own, work.ParallelWork):
            fits = isinstance(result, dict) and set(result) <= set(own.branches)
            return None if fits else "it is no object of outputs by branch"
        if isinstance(own, work.ForeachWork):
            return None if isinstance(result, list) else "it is no list"
        wrong = [] if self.output is None else self.output.errors(result)
        return None if not wrong else f"{wrong[0][0] or 'it'}: {wrong[0][2]}"

    def input_fault(self, node_type: str, own: work.Work, result: Any, rendered: Any) -> str | None:
        """Why a result cannot be the node's input, None where it can. rendered: what `own` gave."""
        if not isinstance(result, dict) or not result:
            return "it is no object with members of `with`"
        if unknown := sorted(set(result) - self.members):
            return f"it gives {', '.join(unknown)}, which it may not; it may give {', '.join(sorted(self.members))}"
        if isinstance(own, work.ForeachWork):
            fits = isinstance(result["items"], list) and len(result["items"]) <= own.max_items
            return None if fits else f"`items` is no list of at most {own.max_items}"
        if isinstance(own, work.CallWork):
            return None if isinstance(result["input"], dict) else "`input` is no object"
        model = with_class(node_type)
        if model is None or not isinstance(rendered, dict):
            return None
        try:
            model.model_validate({**rendered, **result}, context=RENDERED)
        except ValidationError as error:
            for one in error.errors(include_input=False, include_url=False):
                # What is wrong with the author's own members is told by the node's own work.
                if not one["loc"] or one["loc"][0] in result:
                    return f"{'/'.join(map(str, one['loc'])) or 'it'}: {one['msg']}"
        return None


def outcome_by(own: work.Work, result: Any, otherwise: str = "done") -> str:
    """The outcome of a node whose output is a model's result."""
    if isinstance(own, work.IfWork):
        return "true" if result else "false"
    return str(result) if isinstance(own, work.SwitchWork) else otherwise


def with_input(own: work.Work, members: Mapping[str, Any]) -> work.Work:
    """The work of a node with another input. What a model wrote is no template, whatever it looks like."""
    if isinstance(own, work.ConnectorWork):
        written = own.with_
        return replace(own, with_=Template(lambda names: {**written.render(names), **members}, written.expressions))
    values = {name: constant_template(value) for name, value in members.items()}
    if isinstance(own, work.ActivityWork | work.CallWork):
        return replace(own, input=values.get("input", own.input))
    if isinstance(own, work.PublishWork):
        return replace(own, data=values.get("data", own.data))
    if isinstance(own, work.TaskWork):
        return replace(own, description=values.get("description", own.description), data=values.get("data", own.data))
    return replace(own, items=values.get("items", own.items)) if isinstance(own, work.ForeachWork) else own
