"""An answer, read as the node's output, or as the error that it is."""

from __future__ import annotations

import base64
import codecs
import re
from typing import Any, Final

from weft_connectors.activity import ActivityError
from weft_connectors.answers import UnreadableAnswer, is_permanent, json_of, retry_after
from weft_connectors.guarded import Answer

EXCERPT_BYTES: Final = 4096
_UNSHOWN: Final = frozenset({"set-cookie", "set-cookie2", "www-authenticate", "proxy-authenticate", "authentication-info"})
"""Headers that may hold secrets: an error is shown to more people than an output."""
_JSON_TYPE: Final = re.compile(r"(?:application/json|[\w.+-]+/[\w.-]+\+json)\Z", re.IGNORECASE)
_NO_CHARSETS: Final = frozenset({"punycode", "idna", "unicode_escape", "raw-unicode-escape", "raw_unicode_escape", "utf-7", "undefined"})
"""Python's codecs that no web answer uses: quadratic in time, or giving halves of characters."""
_CHARSET: Final = re.compile(r"""charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE)


def output_of(answer: Answer, response: str) -> dict[str, Any]:
    """`{status, headers, body}`. response: auto, json, text or base64.  Raises: ActivityError `http_bad_response`."""
    return {"status": answer.status, "headers": headers_of(answer), "body": _body(answer, response)}


def headers_of(answer: Answer) -> dict[str, str]:
    """Headers by name in lower case; those that came several times joined by a comma."""
    joined: dict[str, str] = {}
    for name, value in answer.headers:
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def status_error(answer: Answer) -> ActivityError:
    """The error of a status that is not success."""
    headers = {name: value for name, value in headers_of(answer).items() if name not in _UNSHOWN}
    excerpt = _excerpt(answer)
    said = f": {excerpt[:200]}" if isinstance(excerpt, str) and excerpt else ""
    return ActivityError(
        "http_status",
        f"the service answered with status {answer.status}, which is not in `expect`{said}",
        permanent=is_permanent(answer.status),
        details={"status": answer.status, "headers": headers, "body": excerpt},
        retry_after_s=retry_after(answer),
    )


def _body(answer: Answer, response: str) -> Any:
    if response == "base64":
        return base64.b64encode(answer.body).decode()
    if not answer.body:
        return "" if response == "text" else None
    if response == "json" or (response == "auto" and _JSON_TYPE.match(_media_type(answer))):
        return _json(answer)
    return _text(answer)


def _media_type(answer: Answer) -> str:
    return (answer.header("content-type") or "").partition(";")[0].strip()


def _json(answer: Answer) -> Any:
    try:
        return json_of(answer)
    except UnreadableAnswer as error:
        raise _bad_response(f"{error}; set `response: {'text' if error.is_text else 'base64'}` to take it as it is") from error


def _text(answer: Answer) -> str:
    found = _CHARSET.search(answer.header("content-type") or "")
    charset = found.group(1) if found else "utf-8"
    try:
        if codecs.lookup(charset).name in _NO_CHARSETS:
            raise LookupError(charset)
        text = answer.body.decode(charset)
    except (LookupError, ValueError) as error:
        raise _bad_response(f"it is no text in {charset}; set `response: base64` to take it as it is") from error
    if "\0" in text:
        raise _bad_response("it holds a NUL character, which cannot be stored; set `response: base64` to take it as it is")
    return text


def _excerpt(answer: Answer) -> Any:
    """The body of an error: a small JSON answer's value, else the beginning as text, NUL left out; None when empty."""
    if not answer.body:
        return None
    if len(answer.body) <= EXCERPT_BYTES and _JSON_TYPE.match(_media_type(answer)):
        try:
            return _json(answer)
        except ActivityError:
            pass  # what calls itself JSON and is none is shown as text
    return answer.body[:EXCERPT_BYTES].decode(errors="replace").replace("\0", "")


def _bad_response(why: str) -> ActivityError:
    return ActivityError("http_bad_response", f"the answer's body cannot be read: {why}", permanent=True)
