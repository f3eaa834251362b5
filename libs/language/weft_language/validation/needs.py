"""What the fields of nodes need of the templates in them, where that is more than any JSON value."""

import re
from dataclasses import dataclass
from typing import Final

from weft_language.actions import ACTIONS, Takes
from weft_language.findings import Severity
from weft_language.model import InvalidDuration, InvalidTime, parse_duration, parse_time
from weft_language.model.durations import DURATION_HINT, TIME_HINT
from weft_language.validation.outline import Outline
from weft_language.validation.sites import Site


@dataclass(frozen=True, slots=True)
class Need:
    """What a field needs. kinds: of the value.  severity: of what is said where it gets something else.  least, most: of a number."""

    what: str
    kinds: frozenset[str]
    fix: str
    severity: Severity = "error"
    parsed_as: str = ""
    least: float | None = None
    most: float | None = None

    def fault(self, value: str | int | float) -> str | None:
        """What is wrong with a constant of a kind that would do, or None."""
        if isinstance(value, str):
            return self._text_fault(value)
        if self.least is not None and self.most is not None and not self.least <= value <= self.most:
            return f"{self.what} is needed here, from {self.least:g} to {self.most:g}, and this is {value:g}"
        return None

    def _text_fault(self, value: str) -> str | None:
        problems = []
        for word, parse in (("duration", parse_duration), ("time", parse_time)):
            if word in self.parsed_as:
                try:
                    parse(value)
                except (InvalidDuration, InvalidTime) as error:
                    problems.append(str(error))
                else:
                    return None
        return problems[0] if problems else None


_CENTURY_S: Final = 3_153_600_000.0
_NUMBER: Final = frozenset({"int", "double"})
_TEXT: Final = frozenset({"text"})
_DURATION: Final = Need(
    "a duration", _NUMBER | {"text", "duration"}, DURATION_HINT, parsed_as="duration", least=0, most=_CENTURY_S
)  # fmt: skip
_TIME: Final = Need("a time", frozenset({"text", "time"}), TIME_HINT, parsed_as="time")
_DUE: Final = Need(
    "a duration or a time", _NUMBER | {"text", "duration", "time"}, DURATION_HINT, parsed_as="duration time", least=0, most=_CENTURY_S
)  # fmt: skip
_ITEMS: Final = Need("a list", frozenset({"list"}), "give it a list, such as {{ input.rows }}")
_WIDTH: Final = Need("a whole number", _NUMBER, "write a number from 1 to 1000", least=1, most=1000)
_PRIORITY: Final = Need("a whole number", _NUMBER, "write a number from 0 to 9", least=0, most=9)
_VERSION: Final = Need("a whole number", _NUMBER, "write a version's number", least=1, most=2**31)
_ADDRESS: Final = Need("an address", _TEXT, "write a text, such as https://example.com/{{ input.id }}")
_OBJECT: Final = Need("an object", frozenset({"map"}), "give it an object of names and values")
_METHOD: Final = Need("a method", _TEXT, "write a text, such as POST")

_TAKES: Final[dict[Takes, Need]] = {
    "text": Need("a text", _TEXT, "write a text, or text(...) around the value"),
    "address": _ADDRESS,
    "method": _METHOD,
    "object": _OBJECT,
    "list": _ITEMS,
    "number": Need("a number", _NUMBER, "give it a number, such as {{ input.count }}"),
    "boolean": Need("true or false", frozenset({"bool"}), "give it true, false, or a comparison, such as {{ input.total > 100 }}"),
}

_FIELDS: Final[dict[str, tuple[tuple[str, Need], ...]]] = {
    "wait": (("for", _DURATION), ("until", _TIME)),
    "state": ((r"after/[^/]+", _DURATION),),
    "task": (("due", _DUE), ("priority", _PRIORITY), (r"reminders/\d+", _DURATION), (r"on_timeout/\d+/after", _DURATION)),
    "foreach": (("items", _ITEMS), ("concurrency", _WIDTH)),
    "call": (("version", _VERSION),),
    **{action.type: tuple((pattern, _TAKES[takes]) for pattern, takes in action.takes) for action in ACTIONS.values()},
}


def need_at(document: Outline, site: Site) -> Need | None:
    """What the place of a template needs; None where any value will do."""
    node = document.nodes.get(site.node) if site.node is not None else None
    if node is None or site.kind != "template" or not site.pointer.startswith(f"{node.pointer}/with/"):
        return None
    inner = site.pointer.removeprefix(f"{node.pointer}/with/")
    for pattern, need in _FIELDS.get(node.type, ()):
        if re.fullmatch(pattern, inner):
            return need
    return None
