"""What an event carries: JSON, text or bytes by its media type, and how each is told from the bytes of a message."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

import msgspec

JSON: Final = "application/json"

_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+/[A-Za-z0-9!#$%&'*+.^_`|~-]+(\s*;[\x20-\x7e]*)?")
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([A-Za-z0-9_:.+-]+)"?', re.IGNORECASE)


MAX_DEPTH: Final = 64
"""Levels of lists and objects."""
MAX_INTEGER_BITS: Final = 1024
_LONG_NUMBER = re.compile(rb"[0-9]{300}")


class Problem(NamedTuple):
    """One thing wrong. pointer: JSON pointer (RFC 6901) to it in the event or batch; code: stable; detail: what and how to mend it."""

    pointer: str
    code: str
    detail: str


class CloudEventError(ValueError):
    """The message is no CloudEvent. Every problem that was found is in `problems`, the first one's code is `code`.

    Codes: `not_json`, `nul_character` and `not_utf8` (the bytes are wrong); `not_a_cloudevent`, `unsupported_format`,
    `unsupported_specversion`, `missing_attribute`, `bad_attribute`, `bad_data` (what they say is).
    """

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(f"{problem.pointer or '/'}: {problem.detail}" for problem in problems))
        self.problems = problems
        self.code = problems[0].code

    def under(self, prefix: str) -> CloudEventError:
        """The same error of an event that stands at `prefix` in its batch."""
        return CloudEventError(*(problem._replace(pointer=prefix + problem.pointer) for problem in self.problems))


def is_media_type(text: str) -> bool:
    """Whether `text` is a media type, with parameters or without. Source: RFC 2046."""
    return _MEDIA_TYPE.fullmatch(text) is not None


def essence(media_type: str | None) -> str:
    """A media type without its parameters, in lower case; "" for none."""
    return (media_type or "").partition(";")[0].strip().lower()


def is_json(media_type: str | None) -> bool:
    """Whether data of this type is JSON, as it is when nothing is said. Source: CloudEvents JSON format 1.0.2, section 3.1."""
    kind = essence(media_type)
    return not kind or kind == JSON or kind.endswith("/json") or kind.endswith("+json")


def is_text(media_type: str | None) -> bool:
    """Whether data of this type is read as UTF-8 text; text in another charset stays bytes."""
    kind = essence(media_type)
    charset = _CHARSET.search(media_type or "")
    in_utf8 = charset is None or charset.group(1).lower() in {"utf-8", "utf8", "us-ascii", "ascii"}
    return in_utf8 and (kind.startswith("text/") or kind == "application/xml" or kind.endswith("+xml"))


def decode_json(body: bytes | memoryview, pointer: str = "") -> Any:
    """The value of some JSON. Raises: CloudEventError for bytes that are not JSON, nested without end or with a NUL character."""
    try:
        value = msgspec.json.decode(body)
    except UnicodeDecodeError as error:
        raise CloudEventError(Problem(pointer, "not_utf8", f"JSON is UTF-8, and this is not: {error}")) from error
    except ValueError as error:  # also what msgspec says of bytes that are not UTF-8, outside a text
        raise CloudEventError(Problem(pointer, "not_json", f"this is not JSON: {error}")) from error
    except RecursionError as error:
        raise CloudEventError(Problem(pointer, "not_json", "this is nested too deeply to be read")) from error
    # Rare things all of them, so only bytes that may hold one are walked through.
    raw = bytes(body)
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH or b"\\u0000" in raw or _LONG_NUMBER.search(raw):
        _check(value, pointer)
    return value


def decode(body: bytes, media_type: str | None, pointer: str) -> Any:
    """Data as its media type says: a JSON value, a text, or bytes. No bytes at all are no data.

    Raises: CloudEventError when JSON or text is not what its type says.
    """
    if not body:
        return None
    if is_json(media_type):
        return decode_json(body, pointer)
    if not is_text(media_type):
        return body
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise CloudEventError(Problem(pointer, "not_utf8", f"{media_type} is read as UTF-8, and this is not: {error}")) from error
    if "\0" in text:
        raise CloudEventError(
            Problem(pointer, "nul_character", "the text holds the character U+0000, which cannot be stored; leave it out")
        )
    return text


def encode(data: Any, media_type: str | None) -> bytes:
    """The bytes of data of a media type, so that `decode` gives the data again."""
    if data is None:
        return b""
    if isinstance(data, bytes):
        return data
    if isinstance(data, str) and not is_json(media_type):
        return data.encode()
    return msgspec.json.encode(data)


def in_charset(text: str, media_type: str | None, pointer: str) -> bytes:
    """The bytes a text stands for when its type is neither JSON nor UTF-8 text.

    Raises: CloudEventError where its charset cannot write it.
    """
    charset = _CHARSET.search(media_type or "")
    try:
        return text.encode(charset.group(1) if charset else "utf-8")
    except (LookupError, UnicodeEncodeError) as error:
        detail = f"the text cannot be written as {media_type} ({error}); send it as data_base64"
        raise CloudEventError(Problem(pointer, "bad_data", detail)) from error


def _check(value: Any, pointer: str) -> None:
    """Refuse what no store or other reader takes. Raises: CloudEventError."""
    level, depth = [value], 0
    while level:
        if depth > MAX_DEPTH:
            raise CloudEventError(Problem(pointer, "not_json", f"this is nested deeper than {MAX_DEPTH} levels; flatten it"))
        below: list[Any] = []
        for node in level:
            if isinstance(node, dict):
                below.extend(node.values())
            elif isinstance(node, list):
                below.extend(node)
            if (isinstance(node, str) and "\0" in node) or (isinstance(node, dict) and any("\0" in name for name in node)):
                detail = "a text holds the character U+0000, which cannot be stored; leave it out"
                raise CloudEventError(Problem(pointer, "nul_character", detail))
            if isinstance(node, int) and node.bit_length() > MAX_INTEGER_BITS:
                detail = f"an integer has more than {MAX_INTEGER_BITS} bits; send it as text"
                raise CloudEventError(Problem(pointer, "not_json", detail))
        level, depth = below, depth + 1
