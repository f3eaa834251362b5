"""Addresses of mails that go out: one each, plain enough for every server, and nothing in them that could be another header."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.header import Header
from typing import Final

SENDER: Final = r"^[^\x00-\x1f\x7f<>]*(<[^\x00-\x20\x7f<>@,;]+@[^\x00-\x20\x7f<>@,;]+>|[^\x00-\x20\x7f<>@,;]+@[^\x00-\x20\x7f<>@,;]+)$"
"""What the `from` of a connection looks like."""
_NAMED: Final = re.compile(r"([^<>]*)<([^<>]*)>")
_LOCAL: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_PLAIN: Final = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]*")


class NoAddress(ValueError):
    """A text is no address that a mail can be sent to; the message says why."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address in ASCII, and the name beside it, empty where there is none."""

    address: str
    name: str = ""

    @property
    def domain(self) -> str:
        """What stands behind the `@`."""
        return self.address.rpartition("@")[2]

    def text(self) -> str:
        """As an API reads it: `"Name" <address>`."""
        quoted = self.name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}" <{self.address}>' if self.name else self.address

    def header(self) -> str:
        """As it stands in a header, in ASCII."""
        if not self.name:
            return self.address
        if self.name.isascii():
            return f"{self.name} <{self.address}>" if _PLAIN.fullmatch(self.name) else self.text()
        return f"{Header(self.name, 'utf-8', maxlinelen=70).encode()} <{self.address}>"


def read(text: str, name: str | None = None) -> Address:
    """One address, `a@b.example` or `Name <a@b.example>`. name: beside one that has none.  Raises: NoAddress."""
    if _CONTROL.search(text) or _CONTROL.search(name or ""):
        raise NoAddress("an address holds no line ends and no other control characters")
    found = _NAMED.fullmatch(text.strip())
    said, address = (found[1].strip(), found[2].strip()) if found else ("", text.strip())
    if len(said) > 1 and said[0] == said[-1] == '"':
        said = re.sub(r"\\(.)", r"\1", said[1:-1])
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or len(local) > 64:
        raise NoAddress(f"{text[:80]!r} is no mail address; write one, such as a@b.example or `Zoe <a@b.example>`")
    return Address(f"{local}@{_domain(domain, text)}", (name or said)[:200])


def _domain(domain: str, text: str) -> str:
    try:
        ascii_ = domain.lower() if domain.isascii() else domain[:253].lower().encode("idna").decode()
    except UnicodeError as error:
        raise NoAddress(f"what stands behind the @ of {text[:80]!r} is no domain") from error
    if not _DOMAIN.fullmatch(ascii_):
        raise NoAddress(f"what stands behind the @ of {text[:80]!r} is no domain")
    return ascii_
