"""Errors as values, in the shape of the definition language: all of `{code, message, node, attempt, permanent, details}`, always."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

LONGEST_ASKED_S: Final = 86_400.0


def failure(
    code: str, message: str, node: str | None, attempt: int | None = None, *, permanent: bool = False, details: Any = None
) -> dict[str, Any]:
    """An error of the engine's own."""
    return {"code": code, "message": message, "node": node, "attempt": attempt, "permanent": permanent, "details": details}


def told(error: Mapping[str, Any], node: str, attempt: int | None = None) -> dict[str, Any]:
    """An error that somebody else gives for a node: what it leaves out is filled in. attempt: where the error does not know it itself."""
    known = {"attempt": attempt} if attempt is not None else {}
    return {"attempt": None, "permanent": False, "details": None, **error, "node": node, **known}


def unhandled(outcome: str, node: str) -> dict[str, Any]:
    """The error of a node that itself ends with `error` or `timeout`, where no edge takes that. Its code is the outcome."""
    return failure(outcome, f"{node} ended with the outcome `{outcome}`, and no edge takes it", node)


def not_before_s(error: Mapping[str, Any]) -> float:
    """Seconds that whoever failed asks to wait before the next attempt (`details.retry_after_s`), at most a day; 0 for nothing said."""
    details = error.get("details")
    wanted = details.get("retry_after_s") if isinstance(details, Mapping) else None
    if isinstance(wanted, bool) or not isinstance(wanted, int | float) or not wanted > 0:
        return 0.0
    return min(float(wanted), LONGEST_ASKED_S)
