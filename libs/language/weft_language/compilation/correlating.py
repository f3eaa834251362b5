"""Correlating: which executions an event is for, told by one value in it, so that they can be looked up and need not be searched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from json import dumps
from typing import Any, Final

from weft_language.compilation.triggers import glob_matches, is_glob
from weft_language.expressions import Equality, Expression, ExpressionError, equalities
from weft_language.findings import pointer_of

MAX_KEY_CHARS: Final = 200
"""Longer values are told by their SHA-256, so that every key fits an index."""
_DATA: Final = ("event", "data")


@dataclass(frozen=True, slots=True)
class Correlation:
    """The first term of a `match` that says `event.data.<path> == <value>`.

    path: JSON pointer into the event's data.  value: reads the execution's names, not the event; it is settled when the state is entered.
    rest: the other terms, None where there are none.
    """

    path: str
    value: Expression
    rest: Expression | None = None


@dataclass(frozen=True, slots=True)
class EventWait:
    """A domain event that a `state` waits for. pattern: its type, or a glob.  match: over `event` and the execution's names."""

    pattern: str
    match: Expression | None = None
    correlation: Correlation | None = None

    def covers(self, event_type: str) -> bool:
        """Whether events of this type are what it waits for."""
        return pattern_covers(self.pattern, event_type)

    def key(self, names: Mapping[str, Any]) -> str | None:
        """The key of what it is correlated by, in these names; None where it is by type alone, or the value cannot be told by a key."""
        if self.correlation is None:
            return None
        try:
            return correlation_key(self.correlation.value.evaluate(names))
        except ExpressionError:
            # `match` may ask for the value more carefully in another term: it decides, when an event comes.
            return None

    def takes(self, event: Mapping[str, Any], names: Mapping[str, Any], key: str | None) -> bool:
        """Whether an event is the one. event: its attributes and `data`.  key: what `key` gave when the wait began.

        A condition that cannot be evaluated does not match.
        """
        if not self.covers(str(event.get("type"))):
            return False
        condition = self.match
        if self.correlation is not None and key is not None:
            if key_at(event.get("data"), self.correlation.path) != key:
                return False
            condition = self.correlation.rest
        try:
            return condition is None or condition.test({**names, "event": event})
        except ExpressionError:
            return False


def pattern_covers(pattern: str, event_type: str) -> bool:
    """Whether a type or glob covers an event's type."""
    return glob_matches(pattern, event_type) if is_glob(pattern) else pattern == event_type


def correlate(match: Expression) -> Correlation | None:
    """What a `match` is correlated by, None where no term of it can be looked up."""
    for term in equalities(match):
        path = _below_data(term)
        if path is not None and not term.value.reads("event") and not term.value.reads("now"):
            return Correlation(path, term.value, term.rest)
    return None


def _below_data(term: Equality) -> str | None:
    if term.path[:2] != _DATA or len(term.path) < 3:
        return None
    return pointer_of(*term.path[2:])


def correlation_key(value: Any) -> str | None:
    """The text that equal values have in common: texts, numbers, booleans and null; None for any other kind of value.

    An int and a double that are equal have the same key.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is not None and type(value) not in (str, bool, int, float):
        return None
    text = dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_KEY_CHARS else f"#{sha256(text.encode()).hexdigest()}"


def key_at(data: Any, path: str) -> str | None:
    """The key of the value at a JSON pointer, through objects only; None where there is none or it is no plain value."""
    for name in _names(path):
        if not isinstance(data, Mapping) or name not in data:
            return None
        data = data[name]
    return correlation_key(data)


def _names(path: str) -> Iterator[str]:
    return (name.replace("~1", "/").replace("~0", "~") for name in path.split("/")[1:])
