"""What jq reads and what it becomes: parts in CEL, and what an expression sees."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED_WORDS: Final = (
    "true false null in as break const continue else for function if import let loop package namespace return var void while"
)
RESERVED: Final = frozenset(_RESERVED_WORDS.split(" "))
"""Words that CEL keeps for itself."""


class NotTranslated(ValueError):
    """An expression that has no equal in CEL; the message says which part."""


@dataclass(frozen=True, slots=True)
class Term:
    """A part in CEL.

    kind: `path`, a literal's `list`, `map`, `text`, `number`, or `other`.  whole: it needs no brackets beside operators.
    fields: what may be read of it, where that is called otherwise here; None for whatever there is.
    """

    text: str
    kind: str = "other"
    whole: bool = True
    fields: Mapping[str, Any] | None = field(default=None)

    @property
    def inner(self) -> str:
        """The text as it stands beside an operator."""
        return self.text if self.whole else f"({self.text})"

    def otherwise(self, fallback: str) -> str:
        """The text as it stands beside an operator, with `fallback` where it is a path that may not be there."""
        return f"default({self.text}, {fallback})" if self.kind == "path" and not is_plain(self.text) else self.inner


@dataclass(frozen=True, slots=True)
class View:
    """What an expression sees.

    dot: CEL of what `.` is.  variables: CEL of what each `$name` is; a map of what may be read of it; or both, as a pair.
    """

    dot: str
    variables: Mapping[str, Any] = field(default_factory=dict)

    def at(self, dot: str) -> View:
        """The same with another `.`."""
        return View(dot, self.variables)

    def knowing(self, **more: Any) -> View:
        """The same with more variables."""
        return View(self.dot, {**self.variables, **more})


def is_plain(name: str) -> bool:
    """Whether a name needs no quotes."""
    return _PLAIN.fullmatch(name) is not None


def quoted(text: str) -> str:
    """A text as CEL writes it."""
    if re.search(r"['\\\x00-\x1f\x7f]", text):
        return json.dumps(text, ensure_ascii=False)
    return f"'{text}'"


def member(of: str, name: str) -> str:
    """CEL that reads a member."""
    return f"{of}.{name}" if is_plain(name) and name not in RESERVED else f"{of}[{quoted(name)}]"


def path(text: str) -> Term:
    """A path in CEL."""
    return Term(text, "path")


def known(value: Any, shown: str) -> Term:
    """What a variable, or a part of one, is in CEL. value: as in `View.variables`.  shown: what its author calls it."""
    if isinstance(value, str):
        return path(value)
    return Term(value[0], "path", fields=value[1]) if isinstance(value, tuple) else Term(shown, fields=value)
