"""Addresses in mails: read from headers as they are written, and brought to the form in which they are compared. Linear; never an error.

Source: RFC 5322, 3.4 (with the obsolete forms), RFC 5233 (what stands behind a plus).
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from weft_events.mails.texts import line, words

MAX_ADDRESS_BYTES: Final = 254
MAX_NAME: Final = 100
MAX_LISTED: Final = 100
"""Of an address, as RFC 5321 has it; characters of a name; addresses of one header. What is more is left out."""

_UNFIT: Final = re.compile(r'[\s<>"(),:;\\\x00-\x1f\x7f]')
_AROUND: Final = re.compile(r" ?([.@]) ?")


@dataclass(frozen=True, slots=True)
class Address:
    """An address as it is written, and the name beside it, empty where there is none."""

    address: str
    name: str = ""


def read(text: str) -> tuple[Address, ...]:
    """The addresses in the text of a header: comma between them, names, comments and groups around them. What is none is left out."""
    reader = _Reader()
    for character in text:
        reader.take(character)
    reader.end()
    return tuple(reader.found[:MAX_LISTED])


def one(address: str, name: str = "") -> Address | None:
    """An address, None where the text is none."""
    text = _AROUND.sub(r"\1", " ".join(address.split()))
    local, at, domain = text.rpartition("@")
    quoted = len(local) > 2 and local[0] == local[-1] == '"' and not re.search(r'["\\\x00-\x1f]', local[1:-1])
    fits = at and local and domain and len(text.encode()) <= MAX_ADDRESS_BYTES
    if not fits or _UNFIT.search(domain) or ((_UNFIT.search(local) or "@" in local) and not quoted):
        return None
    return Address(text, line(words(name))[:MAX_NAME])


def same(address: str) -> str:
    """An address in the form in which two are compared: lower case, the domain as name servers know it."""
    local, at, domain = address.strip().lower().rpartition("@")
    domain = domain.removesuffix(".")
    if not domain.isascii() and len(domain) <= 253:
        # What is no name that name servers know is compared as it is written.
        with suppress(UnicodeError):
            domain = domain.encode("idna").decode()
    return f"{local}{at}{domain}"


def without_tag(address: str) -> str:
    """An address without what stands behind a plus in front of its `@`: `a+b@c` is delivered to `a@c`."""
    local, at, domain = address.rpartition("@")
    plain = local.partition("+")[0]
    return f"{plain}{at}{domain}" if plain else address


class _Reader:
    """Goes through a header once. Depth of comments is a number, so that nothing can nest too deep."""

    def __init__(self) -> None:
        self.found: list[Address] = []
        self._said: list[str] = []
        self._inside: list[str] | None = None
        self._comment: list[str] = []
        self._depth = 0
        self._quoted = self._escaped = False
        self._angled = ""
        self._named = False

    def take(self, character: str) -> None:
        """The next character."""
        if self._escaped:
            self._escaped = False
            self._add(character)
        elif character == "\\" and (self._quoted or self._depth):
            self._escaped = True
        elif self._depth:
            self._depth += (character == "(") - (character == ")")
            if self._depth:
                self._comment.append(character)
        elif character == '"':
            self._quoted = not self._quoted
            self._named = self._named or self._inside is None
            if self._inside is not None:
                self._inside.append(character)
        elif self._quoted:
            self._add(character)
        else:
            self._plain(character)

    def end(self) -> None:
        """There is no more."""
        if self._inside is not None:
            self._angled, self._inside = "".join(self._inside), None
        self._flush()

    def _plain(self, character: str) -> None:
        if character == "(":
            self._depth = 1
        elif character == "<":
            self._inside = []
        elif character == ">" and self._inside is not None:
            self._angled, self._inside = "".join(self._inside), None
        elif character in ",;" and self._inside is None:
            self._flush()
        elif character == ":" and self._inside is None:
            self._said.clear()  # what came before is the name of a group
            self._comment.clear()
        else:
            self._add(character)

    def _add(self, character: str) -> None:
        if self._depth:
            self._comment.append(character)
        else:
            (self._said if self._inside is None else self._inside).append(character)

    def _flush(self) -> None:
        said, comment = "".join(self._said).strip(), "".join(self._comment)
        if self._angled:
            made = one(self._angled.rpartition(":")[2], said or comment)
        else:
            # Without angle brackets the address is all there is, or the last word that looks like one; within quotes there is none.
            last = "" if self._named else next((word for word in reversed(said.split()) if "@" in word), "")
            made = None if self._named else one(said, comment) or one(last)
        if made is not None:
            self.found.append(made)
        self._said, self._comment, self._angled, self._named = [], [], "", False
