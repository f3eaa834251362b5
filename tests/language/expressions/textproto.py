"""A reader for Protocol Buffers text format, as far as CEL's conformance files use it."""

import re
from typing import Any

_TOKEN = re.compile(
    r"""\s+|\#[^\n]*|(?P<text>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|(?P<url>\[[\w./]+\])|(?P<word>-?[\w.+-]+)|(?P<mark>[{}:<>\[\],;])"""
)
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|.)", re.DOTALL)
_SIMPLE = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}

Message = list[tuple[str, Any]]
"""Fields in order, repeated ones repeated; values are bytes for texts, str for words and numbers, Message for messages."""


def read(source: str) -> Message:
    """The fields of a file."""
    tokens = list(_tokens(source))
    message, place = _message(tokens, 0)
    assert place == len(tokens), f"unexpected {tokens[place]}"
    return message


def every(message: Message, name: str) -> list[Any]:
    """The values of a repeated field."""
    return [value for field, value in message if field == name]


def one(message: Message, name: str, default: Any = None) -> Any:
    """The value of a field that stands at most once."""
    return next((value for field, value in message if field == name), default)


def _tokens(source: str) -> Any:
    place = 0
    while place < len(source):
        found = _TOKEN.match(source, place)
        assert found is not None, f"cannot read {source[place : place + 40]!r}"
        place = found.end()
        if found.lastgroup:
            yield found.lastgroup, found[0]


def _message(tokens: list[tuple[str, str]], place: int) -> tuple[Message, int]:
    fields: Message = []
    while place < len(tokens) and tokens[place][1] not in "}>":
        kind, name = tokens[place]
        assert kind in ("word", "url"), f"a field's name, not {name!r}"
        value, place = _value(tokens, place + 1)
        fields.extend((name, item) for item in (value if isinstance(value, tuple) else (value,)))
        if place < len(tokens) and tokens[place][1] in ",;":
            place += 1
    return fields, place


def _value(tokens: list[tuple[str, str]], place: int) -> tuple[Any, int]:
    if tokens[place][1] == ":":
        place += 1
    kind, text = tokens[place]
    if text in "{<":
        message, place = _message(tokens, place + 1)
        return message, place + 1
    if text == "[":
        items: list[Any] = []
        place += 1
        while tokens[place][1] != "]":
            item, place = _value(tokens, place)
            items.append(item)
            place += tokens[place][1] == ","
        return tuple(items), place + 1
    if kind == "text":
        joined = b""
        while place < len(tokens) and tokens[place][0] == "text":
            joined += _unquoted(tokens[place][1])
            place += 1
        return joined, place
    return text, place + 1


def _unquoted(literal: str) -> bytes:
    def character(found: re.Match[bytes]) -> bytes:
        code = found[1]
        if code[:1] in b"uU" and len(code) > 1:
            return chr(int(code[1:], 16)).encode()
        if code[:1] in b"xX" and len(code) > 1:
            return bytes([int(code[1:], 16)])
        if code[:1].isdigit():
            return bytes([int(code, 8)])
        return _SIMPLE.get(code, code)

    return _ESCAPE.sub(character, literal[1:-1].encode())
