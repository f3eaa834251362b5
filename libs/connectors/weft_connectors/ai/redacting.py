"""Personal data, taken out of what a model is given and put back into what it gives. Pure.

What is found by its form stands in the prompt as a mark such as `[EMAIL 1 4f0c]`, the same for the same text. What looks like a number of
a kind that has a check digit is taken for one only where that is right. Names of people have no form, and are not found.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from weft_language.actions.ai.model import AiWith, Personal

FIELDS: Final = ("instructions", "input", "content", "user")
"""Members of a `with` that may hold data of people; the others are its author's."""


def _iban(text: str) -> str:
    """Source: ISO 13616, check digits by ISO 7064 MOD 97-10. Words after one that is written in groups of four look like more of it."""
    while text:
        plain = text.replace(" ", "").upper()
        if 15 <= len(plain) <= 34 and int("".join(str(int(one, 36)) for one in plain[4:] + plain[:4])) % 97 == 1:
            return text
        text = text.rpartition(" ")[0]
    return ""


def _card(text: str) -> str:
    """Source: ISO/IEC 7812-1, annex B (Luhn)."""
    digits = [int(one) for one in text if one.isdigit()]
    doubled = (sum(divmod(2 * one, 10)) for one in digits[-2::-2])
    return text if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 else ""


_ODD: Final = dict(
    zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True)
)  # fmt: skip


def _tax_code(text: str) -> str:
    """Of Italy. Source: decree of the Ministry of Finance of 23 December 1976."""
    code = text.upper()
    even = (int(one) if one.isdigit() else ord(one) - 65 for one in code[1:15:2])
    return text if chr(65 + (sum(_ODD[one] for one in code[:15:2]) + sum(even)) % 26) == code[15] else ""


def _address(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return ""
    return text


def _phone(text: str) -> str:
    digits = sum(one.isdigit() for one in text)
    least = 7 if text.startswith(("+", "00")) else 9
    return text if least <= digits <= 15 and re.match(r"\d{4}-\d{2}-\d{2}", text) is None else ""


def _all_of_it(text: str) -> str:
    return text


_KINDS: Final[dict[Personal, tuple[re.Pattern[str], Callable[[str], str]]]] = {
    "email": (re.compile(r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![\w-])"), _all_of_it),
    "iban": (
        re.compile(r"(?<!\w)[A-Za-z]{2}\d{2}(?:[A-Za-z0-9]{11,30}|(?: [A-Za-z0-9]{4}){2,7}(?: [A-Za-z0-9]{1,4})?)(?!\w)", re.ASCII), _iban,
    ),
    "card": (re.compile(r"(?<![\w+])\d(?:[ -]?\d){12,18}(?!\w)", re.ASCII), _card),
    "tax_code": (
        re.compile(r"(?<!\w)[A-Za-z]{6}[\dL-Vl-v]{2}[A-Za-z][\dL-Vl-v]{2}[A-Za-z][\dL-Vl-v]{3}[A-Za-z](?!\w)", re.ASCII), _tax_code,
    ),
    "ip": (re.compile(r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w:])", re.ASCII), _address),
    "phone": (re.compile(r"(?<![\w.-])(?:\+|\()?\d(?:[ ()/.-]{0,2}\d){6,14}(?![\w-])", re.ASCII), _phone),
}  # fmt: skip
"""Each kind by its form, with what of a find is one, "" where nothing is. In the order in which they are looked for: what is longer, or has
a check digit, before what it could be taken for."""
_NAMES: Final = {"email": "EMAIL", "iban": "IBAN", "card": "CARD", "tax_code": "TAXCODE", "ip": "IP", "phone": "PHONE"}


@dataclass(slots=True)
class Redaction:
    """What was taken out of one call. kinds: looked for.  tag: in each mark, unknown to whoever wrote the data."""

    kinds: frozenset[Personal]
    tag: str
    marks: dict[str, str] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)

    def out_of(self, value: Any) -> Any:
        """A JSON value without what is looked for, in texts and in names of members."""
        return _each(value, self._hide) if self.kinds else value

    def into(self, value: Any) -> Any:
        """A JSON value with the texts in the place of their marks."""
        return _each(value, self._show) if self._texts else value

    def _hide(self, text: str) -> str:
        for kind, (pattern, part_of) in _KINDS.items():
            if kind not in self.kinds:
                continue
            parts, done, found = list[str](), 0, pattern.search(text)
            while found is not None:
                begins, one = found.start(), part_of(found[0])
                if one:
                    parts += (text[done:begins], self._mark(kind, one))
                    done = begins + len(one)
                found = pattern.search(text, max(done, begins + 1))
            text = "".join((*parts, text[done:]))
        return text

    def _mark(self, kind: Personal, text: str) -> str:
        if text not in self.marks:
            mark = f"[{_NAMES[kind]} {len(self.marks) + 1} {self.tag}]"
            self.marks[text], self._texts[mark] = mark, text
        return self.marks[text]

    def _show(self, text: str) -> str:
        return re.sub(rf"\[[A-Z]+ \d+ {re.escape(self.tag)}\]", lambda found: self._texts.get(found[0], found[0]), text)


def redacted(with_: AiWith, redaction: Redaction) -> AiWith:
    """The `with` of an action without what is looked for."""
    given = {name: redaction.out_of(value) for name in FIELDS if (value := getattr(with_, name, None)) is not None}
    return with_.model_copy(update=given)


def kinds_of(with_: AiWith, of_connection: Iterable[Personal]) -> frozenset[Personal]:
    """What is looked for: by the node, and by the connection, which a node cannot undo."""
    return frozenset((*with_.redact, *of_connection))


def _each(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(name): _each(one, change) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_each(one, change) for one in value]
    return value
