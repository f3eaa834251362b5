"""What every answer must be, whatever was asked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

import httpx2
import jsonschema

from tests.flows.hostile.attacking import Attack

CODE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")
TRACE = re.compile(r"[0-9a-f]{32}")
MEMBERS = {"type": str, "title": str, "status": int, "detail": str, "code": str, "trace_id": str}
FORMATS = jsonschema.FormatChecker(["uuid"])


@FORMATS.checks("date-time", raises=ValueError)
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


SLOWEST_S = 30.0
"""No request takes longer; those that wait for others give up after 10 s, and the machine may have other things to do."""


def faults(attack: Attack, answer: httpx2.Response, seconds: float) -> list[str]:
    """What is wrong with an answer; nothing where all is well."""
    found: list[str] = []
    status = answer.status_code
    if status >= 500:
        found.append(f"{status}")
    if seconds > SLOWEST_S:
        found.append(f"it took {seconds:.1f} s")
    if attack.method == "HEAD":
        return found
    if status >= 400:
        found += problem_faults(answer)
    elif status != 304:
        found += _view_faults(attack, answer)
    return found


def problem_faults(answer: httpx2.Response) -> list[str]:
    """What is wrong with a problem document."""
    if answer.headers.get("content-type") != "application/problem+json":
        return [f"a refusal as {answer.headers.get('content-type')}"]
    problem: dict[str, Any] = answer.json()
    found = [f"problem without {name}" for name, kind in MEMBERS.items() if type(problem.get(name)) is not kind or problem[name] == ""]
    if found:
        return found
    if problem["status"] != answer.status_code or problem["type"] != f"urn:weft:problem:{problem['code']}":
        found.append(f"the problem's status or type is of another one: {problem}")
    if not CODE.fullmatch(problem["code"]) or not TRACE.fullmatch(problem["trace_id"]):
        found.append(f"no stable code or no trace id: {problem}")
    for error in problem.get("errors", ()):
        if not isinstance(error, dict) or not all(isinstance(error.get(name), str) for name in ("pointer", "code", "detail")):
            found.append(f"an entry of errors is none: {error}")
        elif error["pointer"] and not error["pointer"].startswith("/"):
            found.append(f"no JSON pointer: {error['pointer']}")
    return found


def _view_faults(attack: Attack, answer: httpx2.Response) -> list[str]:
    operation = attack.operation
    declared: Mapping[str, Any] | None = operation.described["responses"].get(str(answer.status_code))
    if declared is None:
        return [f"{answer.status_code} is not declared"]
    if operation.streams or answer.status_code == 204:
        return ["a body where there is none"] if answer.status_code == 204 and answer.content else []
    content = declared.get("content", {})
    kind = answer.headers.get("content-type", "").partition(";")[0]
    schema = content.get(kind, {}).get("schema")
    if content and schema is None:
        return [f"{answer.headers.get('content-type')} is not declared"]
    validator = _validator(id(operation.document), operation, str(answer.status_code), kind if content else "")
    shown = answer.json() if kind.endswith("json") else answer.text
    return [f"not its own schema at /{'/'.join(map(str, error.path))}: {error.message[:200]}" for error in validator.iter_errors(shown)][:3]


@cache
def _validator(_: int, operation: Any, status: str, kind: str) -> jsonschema.Draft202012Validator:
    kinds = operation.described["responses"][status]["content"]
    (content,) = [kinds[kind]] if kind else kinds.values()
    whole = {**content.get("schema", {}), "components": operation.document["components"]}
    return jsonschema.Draft202012Validator(whole, format_checker=FORMATS)
