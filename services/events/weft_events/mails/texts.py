"""Text out of bytes as mails hold it: charsets, transfer encodings, encoded words. Never an error: what is no text becomes U+FFFD.

Sources: RFC 2045 (transfer encodings), RFC 2047 (encoded words), RFC 6532 (UTF-8 in headers).
"""

from __future__ import annotations

import binascii
import codecs
import re
from typing import Final

_UNFIT: Final = re.compile("[\x00\ud800-\udfff]")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_NO_CHARSETS: Final = frozenset({"punycode", "idna", "unicode_escape", "raw-unicode-escape", "raw_unicode_escape", "utf-7", "undefined"})
"""Python's codecs that no mail needs: quadratic in time, or giving halves of characters."""
_WIDER: Final = {"iso8859-1": "cp1252", "ascii": "utf-8", "euc_kr": "cp949", "gb2312": "gb18030", "gbk": "gb18030"}
"""What mails that name a charset are written in, as browsers read them. Source: WHATWG Encoding."""
_WORD: Final = re.compile(r"=\?([^?\s]{1,75})\?([BbQq])\?([^?]*)\?=")
_NOT_BASE64: Final = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))


def clean(text: str) -> str:
    """Without what cannot be stored: NUL and halves of characters."""
    return _UNFIT.sub("\ufffd", text)


def line(text: str) -> str:
    """Text as one line without control characters, each run of spaces one."""
    return " ".join(_CONTROL.sub(" ", clean(text)).split())


def decoded(raw: bytes, charset: str | None, most: int | None = None) -> str:
    """The text of bytes. charset: as it is named; where it is none that is known, UTF-8.  most: characters, the rest is left out."""
    name = "utf-8"
    if charset:
        try:
            found = codecs.lookup(charset.strip()[:40]).name
        except (LookupError, ValueError):
            found = name
        name = _WIDER.get(found, found if found not in _NO_CHARSETS else name)
    try:
        return clean(raw.decode(name, "replace")[:most])
    except (LookupError, ValueError):
        # A codec that is no charset, such as `zlib`, or one that knows nothing of replacing.
        return clean(raw.decode("utf-8", "replace")[:most])


def carried(raw: bytes, encoding: str) -> bytes:
    """What a body carries. encoding: `Content-Transfer-Encoding`; what is none that packs anything is as it is."""
    if encoding == "base64":
        return unbase64(raw)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(raw)
    return raw


def unbase64(raw: bytes) -> bytes:
    """The bytes of base64, read through what does not belong in it."""
    plain = raw.translate(None, _NOT_BASE64)
    # Of a last group of one character nothing is left.
    plain = plain[: len(plain) - 1] if len(plain) % 4 == 1 else plain
    return binascii.a2b_base64(plain + b"=" * (-len(plain) % 4))


def header(raw: bytes) -> str:
    """The text of a header's value, its encoded words not yet read: UTF-8, or Latin-1 where it is none."""
    try:
        return clean(raw.decode())
    except UnicodeDecodeError:
        return clean(raw.decode("cp1252", "replace"))


def words(text: str) -> str:
    """A header's text with its encoded words read. Those that follow each other directly hold parts of one text."""
    said: list[str] = []
    gathered, of, at = bytearray(), "", 0
    for found in _WORD.finditer(text):
        charset, between = found[1].partition("*")[0].lower(), text[at : found.start()]
        if gathered and (between.strip() or charset != of):
            said.append(decoded(bytes(gathered), of))
            gathered.clear()
        if at == 0 or between.strip():
            said.append(between)
        gathered += _word(found[3], found[2])
        of, at = charset, found.end()
    if gathered:
        said.append(decoded(bytes(gathered), of))
    said.append(text[at:])
    return "".join(said)


def _word(text: str, encoding: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    return unbase64(raw) if encoding in "Bb" else binascii.a2b_qp(raw, header=True)
