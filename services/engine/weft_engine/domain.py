"""Pure decisions at the engine's doors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from weft_language.compilation import Program
from weft_language.model.durations import InvalidDuration, parse_duration
from weft_runtime.errors import Detail, Invalid

from weft_engine.errors import InputInvalid, Refused, VersionNotFound, WorkflowInactive
from weft_engine.machine import EXECUTION_ENDS


def version_to_run(slug: str, status: str, active: int | None, *, wanted: int | None) -> int:
    """The version a new execution runs. Raises: WorkflowInactive, VersionNotFound."""
    if status != "active" or active is None:
        raise WorkflowInactive(slug, status)
    if wanted is not None and wanted > active:
        raise VersionNotFound(slug, wanted)
    return wanted if wanted is not None else active


def wait_seconds(text: str | None, longest_s: float) -> float:
    """The seconds in `?wait=`, at most `longest_s`; 0 for none. Raises: Invalid for what is no duration."""
    if text is None:
        return 0.0
    try:
        return min(parse_duration(text), longest_s)
    except InvalidDuration as error:
        raise Invalid(str(error), details=[Detail("/wait", "duration", str(error), source="query")]) from error


def check_input(program: Program, input_: Mapping[str, Any]) -> None:
    """Raises: InputInvalid, with pointers, when the input does not fit."""
    errors = program.input.errors(dict(input_))
    if errors:
        raise InputInvalid(program.slug, errors)


def has_ended(status: str) -> bool:
    """Whether nothing can happen to an execution any more."""
    return status in EXECUTION_ENDS


def refusal(status: int, body: Mapping[str, Any]) -> Refused | None:
    """The error that a partition's answer means, None when it is a good answer."""
    if status < 400:
        return None
    more = dict(body.get("body") or {})
    details = [Detail(**error) for error in more.pop("errors", [])]
    return Refused(status, str(body["code"]), str(body["detail"]), more, details)
