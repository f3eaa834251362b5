"""A jq text as words and signs, and the texts in it."""

from __future__ import annotations

import json
import re
from typing import Final

from weft_language.serverless.terms import NotTranslated

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<comment>#[^\n]*)|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\$?[A-Za-z_][A-Za-z0-9_]*"
    r"|//=?|==|!=|<=|>=|\|=|\.\.|[.$|,()\[\]{}:?<>+*/%\"-])"
)
_PLAIN: Final = re.compile(r'[^"\\]*')
_ESCAPED: Final = re.compile(r"\\(?:[\"\\/bfnrt]|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4})")
QUOTE: Final = '"'


class Tokens:
    """Reads a jq text from its beginning to its end."""

    def __init__(self, text: str) -> None:
        self.text, self.place = text, 0

    def look(self) -> str | None:
        """The next sign, None at the end."""
        found = _TOKEN.match(self.text, self.place)
        if found is None:
            rest = self.text[self.place :].strip()
            if rest:
                raise NotTranslated(f"{rest[:20]!r} cannot be read")
            return None
        if found["comment"] is not None:
            self.place = found.end()
            return self.look()
        return found[0].strip()

    def take(self, wanted: str | None = None) -> str:
        """The next sign, which has to be `wanted` where that is given."""
        sign = self.look()
        if sign is None or (wanted is not None and sign != wanted):
            raise NotTranslated(f"{wanted or 'more'} is missing at its end" if sign is None else f"{wanted} is expected, not {sign!r}")
        found = _TOKEN.match(self.text, self.place)
        self.place = len(self.text) if found is None else found.end()
        return sign

    def taken(self, *wanted: str) -> str | None:
        """The next sign where it is one of these."""
        sign = self.look()
        return self.take() if sign in wanted else None

    def literal(self) -> str:
        """What a text says up to its end or to what is worked out in it, whose first sign is next."""
        parts: list[str] = []
        while True:
            found = _PLAIN.match(self.text, self.place)
            parts.append("" if found is None else found[0])
            self.place += len(parts[-1])
            if self.text[self.place : self.place + 1] == QUOTE or self.text.startswith("\\(", self.place):
                return "".join(parts)
            escaped = _ESCAPED.match(self.text, self.place)
            if escaped is None:
                raise NotTranslated("a text has no end")
            self.place = escaped.end()
            parts.append(str(json.loads(f'"{escaped[0]}"')))
