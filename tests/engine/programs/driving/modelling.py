"""What a model gives for a node, by the type of the node and the place of its enhancement."""

from __future__ import annotations

from typing import Any

from tests.engine.programs.generating.maker import Document

NO_TEMPLATE = "{{ vars.a }}"
"""What a model wrote is no template, whatever it looks like."""


def result_of(node: Document, apply: str, number: int) -> Any:
    """A result that does, another for another number."""
    with_ = node["with"]
    if apply == "input":
        return _input(node, number)
    match node["type"]:
        case "if":
            return number % 2 == 0
        case "switch":
            outcomes = [*(case["outcome"] for case in with_["cases"]), with_.get("default", "done")]
            return outcomes[number % len(outcomes)]
        case "set":
            return dict.fromkeys(with_, 100 + number)
        case "parallel":
            return {next(iter(with_["branches"])): number}
        case "foreach":
            return [number]
        case "http.request":
            return {"status": 200, "headers": {}, "body": number}
    return {"model": number}


def _input(node: Document, number: int) -> Document:
    match node["type"]:
        case "call":
            return {"input": {"n": number, "items": [1]}}
        case "foreach":
            return {"items": [7, 8, 9][: number % 4]}
        case "publish" | "task":
            return {"data": {"text": NO_TEMPLATE, "n": number}}
        case "http.request":
            return {"body": {"text": NO_TEMPLATE, "n": number}}
    return {"input": {"text": NO_TEMPLATE, "n": number}}


def bad_result(node: Document, apply: str) -> Any:
    """A result that does not do; `...` where there is none at all."""
    if apply == "input":
        return {"call": {"input": 3}, "foreach": {"items": 7}, "http.request": {"url": "https://elsewhere.example"}}.get(
            node["type"], {"else": 1}
        )
    return {"if": "perhaps", "switch": "nowhere", "set": {}, "parallel": {"no": 1}, "foreach": "none", "http.request": {}}.get(
        node["type"], ...
    )
