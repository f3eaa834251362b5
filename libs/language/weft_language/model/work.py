"""Which class reads the `with` of which node type."""

from typing import Final

from weft_language.actions import ACTIONS
from weft_language.model.part import Part
from weft_language.model.work_action import (
    ActionWith,
    ActivityWith,
    CallWith,
    CompensateWith,
    EndWith,
    FailWith,
    PublishWith,
)
from weft_language.model.work_data import (
    ForeachWith,
    GroupWith,
    IfWith,
    LoopWith,
    ParallelWith,
    SetWith,
    SwitchWith,
    TransformWith,
)
from weft_language.model.work_task import TaskWith
from weft_language.model.work_time import StateWith, WaitWith

WITH_BY_TYPE: Final[dict[str, type[Part]]] = {
    "set": SetWith,
    "transform": TransformWith,
    "if": IfWith,
    "switch": SwitchWith,
    "group": GroupWith,
    "parallel": ParallelWith,
    "foreach": ForeachWith,
    "loop": LoopWith,
    "wait": WaitWith,
    "state": StateWith,
    "task": TaskWith,
    "call": CallWith,
    "publish": PublishWith,
    "fail": FailWith,
    "end": EndWith,
    "compensate": CompensateWith,
    "activity": ActivityWith,
    **{action.type: action.with_ for action in ACTIONS.values()},
}


def with_class(node_type: str) -> type[Part] | None:
    """The class of a node type's `with`; any dotted type is a connector's action; None when there is no such type."""
    return WITH_BY_TYPE.get(node_type) or (ActionWith if "." in node_type else None)
