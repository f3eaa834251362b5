"""JSON read strictly from its bytes, so that nothing the database or another reader refuses gets in."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import msgspec
from pydantic import TypeAdapter

from weft_runtime.errors import Malformed

MAX_DEPTH = 64
MAX_INTEGER_BITS = 1024
LONG_BYTES = 64 * 1024
"""A body beyond this is looked through in ways that hold up nobody else."""


class RawObject(dict[str, Any]):
    """A JSON object with the bytes it was read from, so that a strict model can be read from them too."""

    __slots__ = ("raw",)
    raw: bytes


def decode(raw: bytes) -> Any:
    """The JSON value in the bytes.

    Refused: what is not UTF-8 or not JSON, a byte order mark, NaN and infinities, numbers out of range, lone surrogates, NUL in any
    text, more than 64 levels, a name given twice in one object.  Raises: Malformed.
    """
    try:
        value = msgspec.json.decode(raw)
    except RecursionError:
        raise _too_deep() from None
    except UnicodeDecodeError:
        raise Malformed("the body is not UTF-8; send JSON encoded as UTF-8") from None
    except ValueError as error:
        raise Malformed(f"the body is not JSON: {error}") from None
    _walk(raw, value)
    if len(raw) > LONG_BYTES:
        _count_names(raw, value)
    else:
        refuse_repeated_names(raw)
    if type(value) is dict:
        value = RawObject(value)
        value.raw = raw
    return value


def _walk(raw: bytes, value: Any) -> None:
    # Most bodies can hold nothing of what is looked for, which three counts tell without visiting each value.
    shallow = raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH
    if shallow and b"\\u0000" not in raw and b"\\ud" not in raw.lower() and len(raw) < MAX_INTEGER_BITS // 4:
        return
    _check(value)


def refuse_repeated_names(raw: bytes) -> None:
    """Refuse an object that has a name twice: one reader takes the first value, another the last. raw: JSON. Raises: Malformed."""
    # One name has one colon, so most small bodies need no second look.
    if raw.count(b":") > 1:
        _NAMES.decode(raw.decode())


def _count_names(raw: bytes, value: Any) -> None:
    """The same for a long body by counting, which others of the process wait for a tenth of the time. value: what it decodes to."""
    names, level = 0, [value]
    while level:
        below: list[Any] = []
        for one in level:
            if type(one) is dict:
                names += len(one)
                below.extend(one.values())
            elif type(one) is list:
                below.extend(one)
        level = below
    # Outside of texts a colon stands behind each name and nowhere else.
    if raw.count(b":") != names and _TEXT.sub(b"", raw).count(b":") != names:
        raise Malformed("a member is given twice in one object; send it once", code="duplicate_key")


_TEXT: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.S)


def _object(members: list[tuple[str, Any]]) -> None:
    names = {name for name, _ in members}
    if len(names) != len(members):
        seen: set[str] = set()
        again = next(name for name, _ in members if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise Malformed(f"the member {again[:100]!r} is given twice in one object; send it once", code="duplicate_key")


# Numbers are not read a second time: their texts would do, and a long one would take its time.
_NAMES: Final = json.JSONDecoder(object_pairs_hook=_object, parse_int=len, parse_float=len)


def check(value: Any) -> None:
    """Refuse what no JSON of ours may hold, in a value already decoded. Raises: Malformed."""
    _check(value)


def _check(root: Any) -> None:
    level, depth = [root], 0
    while level:
        if depth > MAX_DEPTH:
            raise _too_deep()
        below: list[Any] = []
        for value in level:
            kind = type(value)
            if kind is str:
                _check_text(value)
            elif isinstance(value, dict):
                for name in value:
                    _check_text(name)
                below.extend(value.values())
            elif kind is list:
                below.extend(value)
            elif kind is int and value.bit_length() > MAX_INTEGER_BITS:
                raise Malformed(f"the body holds an integer of more than {MAX_INTEGER_BITS} bits; send it as text")
        level, depth = below, depth + 1


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise Malformed("the body holds a NUL character (\\u0000) in a text; remove it")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise Malformed("the body holds half a surrogate pair in a text; send whole characters") from None


def _too_deep() -> Malformed:
    return Malformed(f"the body is nested deeper than {MAX_DEPTH} levels; flatten it")


def encode(value: Any) -> bytes:
    """A view as JSON: pydantic models, dataclasses, times as RFC 3339, UUIDs as text, non-finite numbers as null."""
    return _ANY.dump_json(value, by_alias=True)


_ANY: TypeAdapter[Any] = TypeAdapter(Any, config={"ser_json_inf_nan": "null"})
