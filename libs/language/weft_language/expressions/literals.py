"""CEL's literals: what the text of a constant in an expression stands for."""

from __future__ import annotations

import re
from typing import Final

from weft_language.expressions.errors import SYNTAX, ExpressionError
from weft_language.expressions.limits import INT_MAX, UINT_MAX
from weft_language.expressions.values import Uint

_ESCAPE: Final = re.compile(r"\\(x[0-9a-fA-F]{2}|X[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2}|.)", re.DOTALL)
_SIMPLE: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "'": "'", '"': '"', "`": "`", "?": "?",
}  # fmt: skip


def integer(text: str) -> int:
    """The value of an int literal. 2**63 passes, because `-` may stand before it; the parser refuses it bare."""
    value = _digits(text)
    if value > INT_MAX + 1:
        raise ExpressionError(SYNTAX, f"{text} does not fit a 64-bit integer; write it as a double ({text}.0)")
    return value


def unsigned(text: str) -> Uint:
    """The value of a uint literal, such as `7u`."""
    value = _digits(text[:-1])
    if value > UINT_MAX:
        raise ExpressionError(SYNTAX, f"{text} does not fit a 64-bit unsigned integer")
    return Uint(value)


def floating(text: str) -> float:
    """The value of a double literal. Raises: ExpressionError when it is too large for one."""
    value = float(text)
    if value == float("inf"):
        raise ExpressionError(SYNTAX, f"{text} is too large for a double")
    return value


def text(literal: str) -> str:
    """The value of a string literal, quotes and all."""
    raw, body = _body(literal)
    return body if raw else _ESCAPE.sub(_character, body)


def octets(literal: str) -> bytes:
    """The value of a bytes literal: characters as UTF-8, hexadecimal and octal escapes as single bytes."""
    raw, body = _body(literal)
    if raw or "\\" not in body:
        return body.encode()
    out = bytearray()
    place = 0
    for found in _ESCAPE.finditer(body):
        out += body[place : found.start()].encode()
        out += _octet(found)
        place = found.end()
    return bytes(out + body[place:].encode())


def quoted(value: str) -> str:
    """A string literal that stands for `value`."""
    out = ['"']
    for character in value:
        if character in '"\\':
            out.append("\\" + character)
        elif character < " " or character == "\x7f":
            out.append(f"\\u{ord(character):04x}")
        else:
            out.append(character)
    return "".join([*out, '"'])


def _digits(text: str) -> int:
    if len(text) > 40:
        raise ExpressionError(SYNTAX, f"the number {text[:20]}... has too many digits")
    return int(text, 16) if text[:2] in ("0x", "0X") else int(text)


def _body(literal: str) -> tuple[bool, str]:
    prefix = literal[: len(literal) - len(literal.lstrip("rRbB"))]
    body = literal[len(prefix) :]
    quotes = 3 if body[:3] in ('"""', "'''") else 1
    return "r" in prefix.lower(), body[quotes:-quotes]


def _character(found: re.Match[str]) -> str:
    code = found[1]
    if len(code) == 1:
        if code not in _SIMPLE:
            raise ExpressionError(SYNTAX, f"\\{code} is no escape; write \\\\ for a backslash, or a raw string r'...'")
        return _SIMPLE[code]
    point = int(code, 8) if code[0].isdigit() else int(code[1:], 16)
    if point > 0x10FFFF or 0xD800 <= point <= 0xDFFF:
        raise ExpressionError(SYNTAX, f"\\{code} is not a Unicode character")
    return chr(point)


def _octet(found: re.Match[str]) -> bytes:
    code = found[1]
    if code[0] in "uU":
        raise ExpressionError(SYNTAX, f"\\{code} cannot stand in bytes; write its bytes as \\x..")
    if len(code) == 1:
        return _character(found).encode()
    return bytes([int(code, 8) if code[0].isdigit() else int(code[1:], 16)])
