"""Compilation: from a valid definition to the program that the engine runs."""

from weft_language.compilation.compiler import compile_definition
from weft_language.compilation.following import PROPAGATE, Propagate, candidates, follow, holds
from weft_language.compilation.moments import DelayValue, DueValue, TimeValue
from weft_language.compilation.program import ROOT, Edge, Graph, Node, NodeKind, Program, ProgramSettings, Sla
from weft_language.compilation.retrying import RetryPolicy
from weft_language.compilation.triggers import Trigger, compile_triggers, glob_matches, is_glob
from weft_language.compilation.work import (
    ActivityWork,
    ConnectorWork,
    EndWork,
    FailWork,
    GroupWork,
    IfWork,
    PublishWork,
    SetWork,
    StateWork,
    SwitchCase,
    SwitchWork,
    TaskWork,
    TransformWork,
    WaitWork,
    Work,
)

__all__ = [
    "PROPAGATE",
    "ROOT",
    "ActivityWork",
    "ConnectorWork",
    "DelayValue",
    "DueValue",
    "Edge",
    "EndWork",
    "FailWork",
    "Graph",
    "GroupWork",
    "IfWork",
    "Node",
    "NodeKind",
    "Program",
    "ProgramSettings",
    "Propagate",
    "PublishWork",
    "RetryPolicy",
    "SetWork",
    "Sla",
    "StateWork",
    "SwitchCase",
    "SwitchWork",
    "TaskWork",
    "TimeValue",
    "TransformWork",
    "Trigger",
    "WaitWork",
    "Work",
    "candidates",
    "compile_definition",
    "compile_triggers",
    "follow",
    "glob_matches",
    "holds",
    "is_glob",
]
