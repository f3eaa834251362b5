"""The parts of a mail: headers and body of each, down to those that hold no others. Bounded in depth and number, in linear time.

Python's own parser takes time of lines times depth and raises what it likes on headers that nobody should write; this one goes through
the bytes once for each level, of which there are few. Sources: RFC 5322, RFC 2045, 2046 (parts), RFC 2231 (parameters).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from weft_events.mails.errors import MailRefused
from weft_events.mails.texts import clean, decoded, header, line, words

MAX_HEADER_BYTES: Final = 256 * 1024
MAX_HEADERS: Final = 1000
MAX_VALUE_BYTES: Final = 16 * 1024
MAX_DEPTH: Final = 20
MAX_PARTS: Final = 500
"""Of the headers of one part together, how many, of one value (the rest of it is left out), of parts within parts, and of all parts."""

_FIELD: Final = re.compile(rb"([\x21-\x39\x3b-\x7e]{1,200})[ \t]*:(.*)", re.DOTALL)
_PARAMETER: Final = re.compile(r';\s*([^\s=;"]{1,100})\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)', re.DOTALL)
_SECTION: Final = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*?)")
_TYPE: Final = re.compile(r"[a-z0-9!#$&^_.+-]{1,100}/[a-z0-9!#$&^_.+-]{1,100}")


@dataclass(frozen=True, slots=True)
class Entity:
    """A part with its headers. headers: name in lower case and value, unfolded, in order.  body: as it travels."""

    headers: tuple[tuple[str, bytes], ...]
    body: bytes

    def first(self, name: str) -> str:
        """The text of the first header of that name, encoded words not read; empty where there is none."""
        return next((header(value) for key, value in self.headers if key == name), "")

    def every(self, name: str) -> str:
        """All headers of that name, one after the other with a comma."""
        return ", ".join(header(value) for key, value in self.headers if key == name)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A part that holds no others. kind: its media type.  alternative: which of several forms of one thing it is one of, else None."""

    entity: Entity
    kind: str
    parameters: dict[str, str]
    alternative: int | None

    @property
    def encoding(self) -> str:
        """How its body is packed to travel."""
        return self.entity.first("content-transfer-encoding").partition(";")[0].strip().lower()

    @property
    def name(self) -> str:
        """Of the file that it is, empty where it has none. A path before it is left out."""
        named = parameters(self.entity.first("content-disposition")).get("filename") or self.parameters.get("name", "")
        return line(re.split(r"[/\\]", line(words(named)))[-1])[:200]

    @property
    def disposition(self) -> str:
        """`inline`, `attachment`, or empty."""
        said = self.entity.first("content-disposition").partition(";")[0].strip().lower()
        return said if said in ("inline", "attachment", "") else "attachment"

    @property
    def content_id(self) -> str:
        """What the HTML calls it by, without angle brackets."""
        return line(self.entity.first("content-id")).strip("<> ")[:200]


def read(data: bytes, *, strict: bool = False) -> Entity:
    """A part. data: its lines end as in Unix.  strict: it has to have headers.  Raises: MailRefused."""
    if data.startswith(b"\n") and not strict:
        return Entity((), data[1:])
    ends = data.find(b"\n\n", 0, MAX_HEADER_BYTES + 2)
    if ends < 0 and len(data) > MAX_HEADER_BYTES:
        raise MailRefused("headers_too_large", f"the headers of a part have more than {MAX_HEADER_BYTES} bytes, or never end")
    head, body = (data, b"") if ends < 0 else (data[:ends], data[ends + 2 :])
    found = tuple(_fields(head))
    if len(found) > MAX_HEADERS:
        raise MailRefused("headers_too_large", f"a part has more than {MAX_HEADERS} headers")
    if not found:
        if strict:
            raise MailRefused("no_headers", "there is no header: a mail begins with lines such as `From: …`")
        return Entity((), data)
    return Entity(found, body)


def leaves(whole: Entity) -> Iterator[Leaf]:
    """The parts that hold no others, in their order. Raises: MailRefused."""
    count = 0
    stack: list[tuple[Entity, int, str, int | None]] = [(whole, 0, "text/plain", None)]
    while stack:
        entity, depth, usual, alternative = stack.pop()
        count += 1
        if count > MAX_PARTS:
            raise MailRefused("too_many_parts", f"it has more than {MAX_PARTS} parts")
        said = entity.first("content-type")
        named = parameters(said)
        kind = said.partition(";")[0].strip().lower()
        kind = kind if _TYPE.fullmatch(kind) else "text/plain" if said else usual
        boundary = named.get("boundary", "")
        if kind.startswith("multipart/") and boundary:
            if depth >= MAX_DEPTH:
                raise MailRefused("too_deep", f"its parts hold parts more than {MAX_DEPTH} levels deep")
            inside = "message/rfc822" if kind == "multipart/digest" else "text/plain"
            group = count if kind == "multipart/alternative" else alternative
            pieces = _split(entity.body, boundary.encode("utf-8", "replace"), MAX_PARTS - count + 1)
            stack.extend((read(piece), depth + 1, inside, group) for piece in reversed(pieces))
        else:
            yield Leaf(entity, "text/plain" if kind.startswith("multipart/") else kind, named, alternative)


def parameters(value: str) -> dict[str, str]:
    """The parameters behind the first semicolon of a header's value, by name in lower case; the first of a name counts."""
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for name, given in _PARAMETER.findall(value):
        section = _SECTION.fullmatch(name.lower())
        text = _unquoted(given)
        if section is None or (section[2] is None and not section[3]):
            plain.setdefault(name.lower(), text)
        else:
            pieces.setdefault(section[1], {}).setdefault(int(section[2] or 0), (text, bool(section[3])))
    return plain | {name: _joined(several) for name, several in pieces.items()}


def _fields(head: bytes) -> Iterator[tuple[str, bytes]]:
    """Headers, unfolded. Lines that are none are passed over: servers have written them between others."""
    name, value = "", bytearray()
    for row in head.split(b"\n"):
        if row[:1] in (b" ", b"\t"):
            if name and len(value) < MAX_VALUE_BYTES:
                value += row
            continue
        found = _FIELD.fullmatch(row)
        if name:
            yield name, bytes(value[:MAX_VALUE_BYTES]).strip()
        name = found[1].decode().lower() if found else ""
        value = bytearray(found[2]) if found else bytearray()
    if name:
        yield name, bytes(value[:MAX_VALUE_BYTES]).strip()


def _split(body: bytes, boundary: bytes, most: int) -> list[bytes]:
    """What stands between the lines that are the boundary, up to the one that ends it. Raises: MailRefused."""
    pieces: list[bytes] = []
    begins: int | None = None
    for found in re.finditer(rb"^--" + re.escape(boundary) + rb"(--)?[ \t]*$", body, re.MULTILINE):
        if begins is not None:
            pieces.append(body[begins : max(begins, found.start() - 1)])
        begins = found.end() + 1
        if len(pieces) > most:
            raise MailRefused("too_many_parts", f"it has more than {MAX_PARTS} parts")
        if found[1]:
            return pieces
    if begins is not None and begins < len(body):
        pieces.append(body[begins:])  # cut off before its end, or never ended
    return pieces


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
    return text.strip('"')


def _joined(pieces: dict[int, tuple[str, bool]]) -> str:
    """A parameter in pieces, or with its charset before it: `utf-8'en'%e2%82%ac`."""
    raw, charset = bytearray(), "utf-8"
    first = min(pieces)
    for number, (said, escaped) in sorted(pieces.items()):
        named, _, text = said.split("'", 2) if escaped and number == first and said.count("'") >= 2 else (charset, "", said)
        charset = named or charset
        raw += unquote_to_bytes(text) if escaped else text.encode("utf-8", "replace")
    return clean(decoded(bytes(raw), charset))
