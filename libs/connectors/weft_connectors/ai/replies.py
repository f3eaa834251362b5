"""A model's reply, read: clean text, or the JSON in it."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from weft_connectors.activity import ActivityError
from weft_connectors.ai.port import Reply
from weft_connectors.ai.tasks import Wrong

MAX_TEXT_CHARS: Final = 200_000
_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
"""Characters that nobody sees and some obey: controls, overrides of direction, tags. Joiners stay, which scripts and emoji need."""
_FENCED: Final = re.compile(r"\A```(?:json)?\s*\n(.*)\n```\Z", re.DOTALL | re.IGNORECASE)


def clean(text: str) -> str:
    """The text without what nobody sees."""
    return _UNSEEN.sub("", text)


def answer_in(reply: Reply, mark: str, *, json: bool, may_be_cut: bool = False) -> Any:
    """What a reply says. json: a value of JSON, else a text.  may_be_cut: whether half a text is taken.

    Raises: Wrong, ActivityError `ai_refused`, `ai_invalid`.
    """
    if reply.finish == "refused":
        raise ActivityError("ai_refused", "the model refused to answer; change the instructions or the input", permanent=True)
    if reply.finish == "other":
        raise ActivityError("ai_invalid", "the model asked for a tool, and none is offered", permanent=True)
    if len(reply.text) > MAX_TEXT_CHARS:
        raise ActivityError(
            "ai_invalid", f"the answer has {len(reply.text)} characters; at most {MAX_TEXT_CHARS} are taken", permanent=True
        )
    text = clean(reply.text).strip()
    if mark in text:
        raise Wrong("it repeats the marks around the data")
    if reply.finish == "length" and not may_be_cut:
        raise Wrong("it is cut off: answer in fewer words")
    if json:
        return _json(text)
    if not text:
        raise Wrong("it is empty")
    return text


def _json(text: str) -> Any:
    fenced = _FENCED.match(text)
    try:
        value = msgspec.json.decode((fenced.group(1) if fenced else text).encode())
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Wrong(f"it is no JSON: {error}") from error
    return _cleaned(value) if "\\u" in text else value


def _cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        return {clean(name): _cleaned(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_cleaned(one) for one in value]
    return clean(value) if isinstance(value, str) else value
