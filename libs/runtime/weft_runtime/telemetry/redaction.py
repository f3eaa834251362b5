"""Secrets kept out of what is written down: by the name of a field, and by the look of a value."""

from __future__ import annotations

import re
from typing import Any

MASK = "[redacted]"
_MAX_DEPTH = 6
_MAX_TEXT = 8192
_END = 6144
"""Characters of what is cut that its end keeps: a stack says there what happened."""
_BEYOND = 2048
"""Characters beyond a cut that are looked at too: of a token that is cut in two, neither half looks like one."""

_SECRET_NAME = re.compile(
    r"passw(or)?d|passphrase|secret|token|authorization|api[_-]?key|apikey|cookie|credential|private[_-]?key|^dsn$|database_url|broker_url",
    re.IGNORECASE,
)
_HARMLESS_NAME = re.compile(r"token_id$|token_type$|tokens?_(count|used|in|out)$|_tokens$", re.IGNORECASE)
# Each pattern reads a text in time that grows with its length alone: what stands at the door may be a stranger's, of any length and make.
_SECRET_VALUE = re.compile(
    # Our packages are called so too, and a traceback without their names tells nothing; no key goes on as they do.
    r"weft_(?!(?:contracts|language|runtime|connectors|gateway|definitions|engine|events|tasks|analytics)\b)[A-Za-z0-9_\-.]{8,}"
    r"|weftr_[A-Za-z0-9_\-.]{8,}"
    # A JWT, with whatever is glued to its front.
    r"|(?<![A-Za-z0-9_\-])(?=[A-Za-z0-9_\-]*eyJ)[A-Za-z0-9_\-]++\.[A-Za-z0-9_\-]++\.[A-Za-z0-9_\-]*+"
    # Keys of the services that workflows call most, by what they begin with.
    r"|\b(?:whsec_|[srp]k_(?:live|test)_|sk-|xox[abeoprs]-|gh[oprsu]_|github_pat_|glpat-|AKIA)[A-Za-z0-9_\-.+/=]{12,}"
    r"|(?i:\b(?:bearer|basic)\s+)[A-Za-z0-9_\-.=+/]{8,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
)
_URL_PASSWORD = re.compile(r"(?P<before>://[^\s:/@]*:)(?!\d{1,5}[/?#])[^\s\"'<>]{1,256}(?=@)")
"""A password in an address, up to the last @: who writes one into an address does not always write %40 and %2F."""
_NAME_IN_TEXT = r"(?:passw(?:or)?d|passphrase|secret|token|authorization|api[_-]?key|cookie|credential|private[_-]?key)[A-Za-z0-9_\-]{0,20}"
_NAMED_VALUE = re.compile(
    # `"api_key": "…"` of JSON and of Python, quoted once or twice; `PASSWORD '…'` of SQL; `?token=…` of an address.
    rf"(?i:(?P<quoted>{_NAME_IN_TEXT}\\?[\"']\s?[:=]\s?|\bpassword\s)\\?[\"'][^\"'\\]{{1,1024}}"
    # A row that PostgreSQL refuses, as it tells of it.
    r"|(?P<row>Failing row contains |\bKey \([^()\n]{1,200}\)=)\([^\n]*"
    rf"|(?P<query>[?&](?:{_NAME_IN_TEXT}|sig|signature|key|code)=)[^&\s\"'<>]{{1,1024}})"
)


def redact(value: Any, depth: int = 0) -> Any:
    """The value with every secret replaced by `[redacted]`.

    Texts longer than 8,192 characters are cut in the middle, depth beyond 6 is left out.
    """
    if isinstance(value, str):
        return redact_text(value)
    if depth >= _MAX_DEPTH and isinstance(value, (dict, list, tuple)):
        return "[deep]"
    if isinstance(value, dict):
        return {name: MASK if _is_secret(name, item) else redact(item, depth + 1) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redact(item, depth + 1) for item in value]
    if isinstance(value, (bytes, bytearray)):
        return f"[{len(value)} bytes]"
    return value


def redact_text(text: str) -> str:
    """The text with tokens, keys and passwords in addresses replaced."""
    if len(text) > _MAX_TEXT:
        begin = _MAX_TEXT - _END
        return f"{_masked(text[: begin + _BEYOND])[:begin]} … {_masked(text[-_END - _BEYOND :])[-_END:]}"
    return _masked(text)


def _masked(text: str) -> str:
    text = _URL_PASSWORD.sub(rf"\g<before>{MASK}", _SECRET_VALUE.sub(MASK, text))
    return _NAMED_VALUE.sub(lambda found: (found["quoted"] or found["row"] or found["query"]) + MASK, text)


def _is_secret(name: Any, value: Any) -> bool:
    if value is None or isinstance(value, bool) or not isinstance(name, str):
        return False
    return bool(_SECRET_NAME.search(name)) and not _HARMLESS_NAME.search(name)
