"""Plain JSON: what a document may hold before anything reads a meaning into it."""

import math
from collections.abc import Iterator
from typing import Any, Final

from weft_language.findings import Finding, pointer_of

MAX_DEPTH: Final = 100
MAX_VALUES: Final = 200_000
MAX_TEXT: Final = 1_048_576

Path = tuple[str | int, ...]


def walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value in a JSON value with its path, parents first, in document order. Does not recurse."""
    waiting: list[tuple[Path, Any]] = [(path, value)]
    while waiting:
        place, current = waiting.pop()
        yield place, current
        if isinstance(current, dict):
            waiting.extend(((*place, name), child) for name, child in reversed(current.items()))
        elif isinstance(current, (list, tuple)):
            waiting.extend(((*place, index), current[index]) for index in range(len(current) - 1, -1, -1))


def text_fault(text: str) -> str | None:
    """Why a text cannot be stored or sent, or None: NUL bytes and lone surrogates."""
    if "\x00" in text:
        return "a text holds a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "a text holds half of a surrogate pair"
    return None


def plain_faults(document: Any) -> list[Finding]:
    """What keeps a value from being plain, bounded JSON; empty when it is. Stops at the first 20."""
    faults: list[Finding] = []
    for count, (path, value) in enumerate(walk(document)):
        fault = _fault(value)
        if len(path) > MAX_DEPTH:
            fault = ("too_deep", f"the document is nested deeper than {MAX_DEPTH} levels")
        if count > MAX_VALUES:
            fault = ("too_large", f"the document holds more than {MAX_VALUES} values")
        if fault is not None:
            faults.append(Finding("error", fault[0], _safe_pointer(path), fault[1]))
            if fault[0] in ("too_deep", "too_large") or len(faults) >= 20:
                break
    return faults


def _safe_pointer(path: Path) -> str:
    return pointer_of(*path).encode("utf-8", "replace").decode().replace("\x00", "?")[:1000]


def _fault(value: Any) -> tuple[str, str] | None:
    if isinstance(value, str):
        fault = text_fault(value)
        return None if fault is None else ("bad_text", fault)
    if isinstance(value, float) and not math.isfinite(value):
        return "not_finite", "a number is not finite"
    if isinstance(value, dict):
        for name in value:
            if not isinstance(name, str):
                return "bad_key", f"a member's name must be a text, not {type(name).__name__}"
            if (fault := text_fault(name)) is not None:
                return "bad_text", fault
        return None
    if value is None or isinstance(value, str | int | float | list):
        return None
    return "not_json", f"{type(value).__name__} is not a JSON value"
