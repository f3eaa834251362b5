"""Texts of a rule: what its author wrote, with placeholders such as `{{ record.status }}` for what changed.

A placeholder names a value and nothing else, so no text can hold an expression. What it stands for is a value as well: it is written into
the text as it is, cut to a length and, where the text is one line, without line breaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import PydanticCustomError

from weft_language.expressions import escape
from weft_language.expressions.literals import quoted
from weft_language.rules.trigger import RuleTrigger

MAX_PLACEHOLDERS: Final = 20
MAX_PLACED: Final = 250
"""Characters that a placeholder puts into a text, of a longer value the first ones."""
MAX_IN_ADDRESS: Final = 64
"""The same into an address."""
_PLACEHOLDER: Final = re.compile(r"\{\{[ \t]*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)[ \t]*\}\}", re.ASCII)
_EVENT: Final = ("id", "type", "source", "subject", "time")
_ROOTS: Final = ("record", "old", "new", "key", "changed", "operation", "entity_type", "event", "rule", "tenant", "now")


@dataclass(frozen=True, slots=True)
class Wording:
    """What placeholders stand for in the texts of a rule."""

    slug: str
    name: str
    trigger: RuleTrigger

    def line(self, text: str, most: int, otherwise: str = "") -> str:
        """The template of a text in one line, at most so long whatever it is filled with. otherwise: where nothing is left of it."""
        parts = self._parts(text)
        if all(isinstance(part, str) for part in parts):
            return escape("".join(str(part) for part in parts)[:most])
        joined = " + ".join(quoted(part) if isinstance(part, str) else self._placed(part) for part in parts)
        empty = f'.map(line, line == "" ? {quoted(otherwise[:most])} : line)' if otherwise else ""
        return f"{{{{ [{joined}].map(line, {_first('line', most)}).map(line, {_ONE_LINE}){empty}[0] }}}}"

    def text(self, text: str) -> str:
        """The template of a text."""
        return "".join(escape(part) if isinstance(part, str) else f"{{{{ {self._placed(part)} }}}}" for part in self._parts(text))

    def address(self, text: str) -> str:
        """The template of an address: of what a placeholder stands for, what is no letter, digit or one of `-._~` becomes `_`."""
        return "".join(
            escape(part) if isinstance(part, str) else f"{{{{ {self._placed(part, MAX_IN_ADDRESS)}{_PLAIN} }}}}"
            for part in self._parts(text)
        )

    def value(self, value: Any) -> Any:
        """The template of a JSON value. A text that is one placeholder becomes what that stands for, with its type."""
        if isinstance(value, str):
            parts = self._parts(value)
            if len(parts) == 1 and isinstance(parts[0], Placeholder):
                return f"{{{{ {self._found(parts[0])} }}}}"
            return self.text(value)
        if isinstance(value, list | tuple):
            return [self.value(one) for one in value]
        if isinstance(value, dict):
            return {name: self.value(one) for name, one in value.items()}
        return value

    def is_filled(self, text: str) -> bool:
        """Whether anything is to be put into a text."""
        return any(isinstance(part, Placeholder) for part in self._parts(text))

    def _parts(self, text: str) -> list[str | Placeholder]:
        """Its parts; what is known already stands there as text."""
        known = {
            "entity_type": self.trigger.entity_type,
            "operation": self.trigger.operation,
            "rule.slug": self.slug,
            "rule.name": self.name,
        }
        return [part if isinstance(part, str) else known.get(".".join(part.words), part) for part in split(text)]

    def _placed(self, placeholder: Placeholder, most: int = MAX_PLACED) -> str:
        """The CEL of the text that stands in the place of a placeholder: empty where there is nothing."""
        written = f'[{self._found(placeholder)}].map(it, it == null ? "" : text(it))'
        return f"{written}.map(it, {_first('it', most)})[0]"

    def _found(self, placeholder: Placeholder) -> str:
        """The CEL of the value of a placeholder, null where there is none."""
        root, *inner = placeholder.words
        if root == "now":
            return "now"
        if root == "changed":
            return 'default(trigger.payload.changed, []).map(it, text(it)).join(", ")'
        start = {"record": self.trigger.row, "event": "trigger.event", "tenant": "tenant"}.get(root, f"trigger.payload.{root}")
        return f"default({'.'.join((start, *inner))}, null)"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """What stands between double braces. words: of the way to the value."""

    words: tuple[str, ...]


def split(text: str) -> Iterator[str | Placeholder]:
    """Texts and placeholders in order. Raises: PydanticCustomError, where double braces hold anything but the name of a value."""
    place = found = 0
    while (start := text.find("{{", place)) >= 0:
        if start > place:
            yield text[place:start]
        match = _PLACEHOLDER.match(text, start)
        if match is None:
            shown = text[start : start + 40]
            detail = f"`{shown}` is no placeholder: between double braces stands the name of a value alone, such as {{{{ record.status }}}}"
            raise PydanticCustomError("placeholder", "{detail}", {"detail": detail})
        found += 1
        if found > MAX_PLACEHOLDERS:
            raise PydanticCustomError("too_long", "should have at most {most} placeholders", {"most": MAX_PLACEHOLDERS})
        yield _checked(match[1])
        place = match.end()
    if place < len(text):
        yield text[place:]


def check(text: str) -> str:
    """A text whose placeholders can be read. Raises: PydanticCustomError."""
    for _ in split(text):
        pass
    return text


def check_all(value: Any) -> Any:
    """A JSON value whose texts can be read. Raises: PydanticCustomError."""
    if isinstance(value, str):
        check(value)
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            check_all(one)
    return value


def _checked(text: str) -> Placeholder:
    words = tuple(text.split("."))
    root, inner = words[0], words[1:]
    if root not in _ROOTS:
        _unknown(text, f"it begins with {', '.join(_ROOTS[:-1])} or {_ROOTS[-1]}")
    if root == "rule" and inner not in (("name",), ("slug",)):
        _unknown(text, "of a rule there are rule.name and rule.slug")
    if root == "event" and (len(inner) != 1 or inner[0] not in _EVENT):
        _unknown(text, f"of an event there are {', '.join(f'event.{name}' for name in _EVENT)}")
    if root == "tenant" and inner != ("id",):
        _unknown(text, "of a tenant there is tenant.id")
    if root in ("changed", "operation", "entity_type", "now") and inner:
        _unknown(text, f"`{root}` has nothing inside")
    return Placeholder(words)


def _unknown(text: str, why: str) -> None:
    raise PydanticCustomError("placeholder", "{detail}", {"detail": f"`{text[:80]}` names no value: {why}"})


def _first(name: str, most: int) -> str:
    return f"size({name}) > {most} ? {name}.substring(0, {most}) : {name}"


_ONE_LINE: Final = r'line.split("").map(sign, sign == "" || sign >= " " && sign != "\u007f" ? sign : " ").join("")'
_PLAIN: Final = r'.split("").map(sign, sign.matches("^[A-Za-z0-9._~-]?$") ? sign : "_").join("")'
