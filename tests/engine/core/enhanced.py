"""Executions with enhanced nodes, and a model that answers as a test says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
from weft_engine.core import items as i

from tests.engine.core.conftest import CONTEXT, ID, Run, program_of

PREMIUM = replace(CONTEXT, tenant={"id": "acme", "tier": "premium", "settings": {}})
USAGE = {"model": "gpt", "cost": 0.01}


def enhanced(node: dict[str, Any], apply: str = "replace", type_: str = "ai.generate", **more: Any) -> dict[str, Any]:
    schema = {"schema": more.pop("schema")} if "schema" in more else {}
    with_ = {"connection": "brain", "instructions": "Better.", **schema, **more.pop("with_", {})}
    return {**node, "enhance": {"type": type_, "with": with_, "apply": apply, **more}}


def run(*nodes: dict[str, Any], **more: Any) -> Run:
    return Run(program_of(list(nodes), **more), context=PREMIUM)


def answer(run: Run, result: Any, node: str = "a", visit: int = 1) -> Run:
    return run.do(i.ActivityCompleted(ID, f"{node}.enhance", visit, 1, "done", {"result": result, "usage": USAGE}))


def refuse(run: Run, code: str, node: str = "a") -> Run:
    error = {"code": code, "message": f"{code} it is", "permanent": True, "details": {"usage": USAGE}}
    return run.do(i.ActivityFailed(ID, f"{node}.enhance", 1, 1, error))


def step(run: Run, node: str = "a") -> Any:
    return run.state.steps[node]


def told(run: Run, node: str = "a") -> tuple[bool, str | None]:
    enhancement = step(run, node).enhancement
    return enhancement["applied"], enhancement["reason"]


def asked(run: Run) -> list[tuple[str, str, str]]:
    """What workers were asked: node, name and key."""
    requests = [out.item.data for out in run.outgoing if out.item.type == "activity.requested"]
    read = [msgspec.json.decode(one) if isinstance(one, bytes | msgspec.Raw) else one for one in requests]
    return [(one["node"], one["name"], one["key"].rpartition(":")[0].rpartition(":")[2]) for one in read]


PLAIN: dict[str, Any] = {"id": "a", "type": "transform", "with": {"expression": "'own'"}}
WORK: dict[str, Any] = {"id": "a", "type": "activity", "with": {"name": "send", "input": {"text": "own"}}}
INPUT = {"type": "object", "properties": {"input": {}}}
