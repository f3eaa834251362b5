"""JSON text, read strictly: duplicate names and non-finite numbers are refused."""

import json
import math
from typing import Any

from weft_language.reading.errors import UnreadableDocument


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise UnreadableDocument("duplicate_key", f"the member {name[:80]!r} is given twice in one object")
            seen.add(name)
    return members


def _constant(name: str) -> Any:
    raise UnreadableDocument("not_finite", f"{name} is not a JSON number")


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise UnreadableDocument("not_finite", f"the number {text[:40]} is too large")
    return value


def read_json(text: str) -> Any:
    """The value of a JSON text. Raises: UnreadableDocument."""
    try:
        return json.loads(text, object_pairs_hook=_members, parse_constant=_constant, parse_float=_number)
    except json.JSONDecodeError as error:
        raise UnreadableDocument("not_json", f"not JSON: {error.msg}", error.lineno, error.colno) from error
    except RecursionError as error:
        raise UnreadableDocument("too_deep", "the document is nested too deep") from error
    except UnreadableDocument:
        raise
    except ValueError as error:  # an integer with more digits than Python converts
        raise UnreadableDocument("not_json", "a number has too many digits") from error
