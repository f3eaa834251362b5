"""Values, expressions, names and durations of a Serverless Workflow document, as Weft writes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from weft_language.expressions import escape
from weft_language.model.durations import InvalidDuration, parse_duration
from weft_language.serverless.jq import to_cel
from weft_language.serverless.notes import Notes, below
from weft_language.serverless.terms import RESERVED, NotTranslated, View, member

_EXPRESSION: Final = re.compile(r"\s*\$\{(.*)\}\s*", re.S)
_VARIABLE: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_UNITS: Final = (("days", 86_400_000), ("hours", 3_600_000), ("minutes", 60_000), ("seconds", 1000), ("milliseconds", 1))
MAX_ID: Final = 48
"""Of what is made of a task's name: nodes beside it have its id with a word behind it."""


def as_is(text: str, view: View) -> str:
    """An expression that is CEL already."""
    return text


LANGUAGES: Final[Mapping[str, Callable[[str, View], str]]] = {"jq": to_cel, "cel": as_is}


@dataclass(slots=True)
class Values:
    """Reads values of one document.

    translate: an expression to CEL; None where nobody knows its language.  taken: ids in use, each with how often it was wanted.
    """

    notes: Notes
    translate: Callable[[str, View], str] | None
    taken: dict[str, int] = field(default_factory=dict)

    def cel(self, text: Any, view: View, at: str) -> str:
        """The CEL of an expression, with `${}` around it or not; `null`, and said so, where it has none."""
        if not isinstance(text, str):
            self.notes.lost(at, "an expression is a text", "write it as ${ ... }")
            return "null"
        inner = _EXPRESSION.fullmatch(text)
        source = (text if inner is None else inner[1]).strip()
        if self.translate is None:
            self.notes.lost(at, "the language of its expressions is not read", "write them in jq or CEL")
            return "null"
        try:
            return self.translate(source, view)
        except NotTranslated as error:
            self.notes.lost(
                at, f"the expression `{source[:100]}` is not carried over: {error}", "write it simpler, or work it out in a task"
            )
            return "null"

    def template(self, value: Any, view: View, at: str) -> Any:
        """A value whose texts may be expressions, as one whose texts may be templates."""
        if isinstance(value, str):
            return "{{ " + self.cel(value, view, at) + " }}" if _EXPRESSION.fullmatch(value) else escape(value)
        if isinstance(value, dict):
            return {name: self.template(one, view, below(at, name)) for name, one in value.items()}
        if isinstance(value, list):
            return [self.template(one, view, below(at, place)) for place, one in enumerate(value)]
        return value

    def reading(self, value: Any, view: View, at: str) -> dict[str, Any]:
        """The `with` of a `transform` that gives a value which may be an expression without `${}`, as `from` and `as` have it."""
        if isinstance(value, str):
            return {"expression": self.cel(value, view, at)}
        return {"map": self.template(value if isinstance(value, dict) else {}, view, at)}

    def address(self, value: Any, view: View, at: str) -> Any:
        """An address: an expression, or a URI template whose variables are members of what `.` is."""
        if not isinstance(value, str) or _EXPRESSION.fullmatch(value):
            return self.template(value, view, at)
        found = _VARIABLE.sub(lambda one: "{{ " + member(view.dot, one[1]) + " }}", escape(value))
        if re.search(r"(?<!\{)\{(?!\{)", found):
            self.notes.lost(at, f"the URI template `{value[:100]}` has more than plain variables", "write it as an expression")
        return found

    def duration(self, value: Any, view: View, at: str, *, plain: bool = True) -> str:
        """A duration. plain: an expression cannot stand there."""
        if isinstance(value, dict) and value and all(type(value.get(name, 0)) is int and value.get(name, 0) >= 0 for name, _ in _UNITS):
            total = sum(value.get(name, 0) * size for name, size in _UNITS)
            seconds, rest = divmod(total, 1000)
            return f"PT{seconds}.{rest:03d}S" if rest else f"PT{seconds}S"
        if isinstance(value, str):
            if _EXPRESSION.fullmatch(value) and not plain:
                return str(self.template(value, view, at))
            try:
                parse_duration(value)
            except InvalidDuration:
                pass
            else:
                return value
        self.notes.lost(at, "this duration is not read here", "write a constant one, such as PT30S")
        return "PT1S"

    def id_of(self, name: str) -> str:
        """A node's id that nobody has, near to a name."""
        plain = plain_id(name)
        found = plain
        while found in self.taken:
            # Where the last one of this name ended, the next begins: so a thousand tasks of one name are named in a thousand steps.
            self.taken[plain] = self.taken.get(plain, 0) + 1
            found = f"{plain}_{self.taken[plain]}"
        self.taken[found] = 1
        return found


def plain_id(name: str) -> str:
    """An id near to a name: letters, digits and underscores, no word that CEL keeps for itself."""
    plain = re.sub(r"[^A-Za-z0-9_]", "_", name)[:MAX_ID]
    plain = plain if re.match(r"[A-Za-z_]", plain) else f"_{plain}"
    return f"{plain}_" if plain in RESERVED else plain


def is_expression(value: Any) -> bool:
    """Whether a value is one expression, `${ ... }`."""
    return isinstance(value, str) and _EXPRESSION.fullmatch(value) is not None
