"""HTML of strangers, made harmless: no scripts, styles, forms, frames, handlers; and what it says, without its markup."""

from __future__ import annotations

import html
import re
from typing import Final

import nh3

MAX_CHARS: Final = 128 * 1024
"""What is read of it; the rest is left out before it is taken apart, which takes time of size times depth."""

_EMBEDDED: Final = re.compile(r"data:[a-z0-9.+/-]{1,100}(?:;[a-z0-9=_-]{1,100}){0,4},[A-Za-z0-9+/=%\s]*", re.IGNORECASE)
_SCHEMES: Final = {"http", "https", "mailto", "tel", "cid"}
_UNSEEN: Final = {"script", "style", "title", "head", "template", "noscript"}
_BREAKS: Final = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6]|/table|/blockquote)\b[^>]{0,200}>", re.IGNORECASE)
_BLANK: Final = re.compile(r"\n[ \n]*\n")


def harmless(text: str) -> str:
    """The same HTML of a short list of elements and attributes, its links and pictures of a short list of schemes."""
    return nh3.clean(shortened(text), url_schemes=_SCHEMES, link_rel="noopener noreferrer nofollow").strip()


def said(text: str) -> str:
    """What HTML says, without its markup."""
    broken = _BREAKS.sub(lambda found: f"{found[0]}\n", shortened(text))
    bare = html.unescape(nh3.clean(broken, tags=set(), clean_content_tags=_UNSEEN))
    rows = (" ".join(row.split()) for row in bare.split("\n"))
    return _BLANK.sub("\n\n", "\n".join(rows)).strip()


def shortened(text: str) -> str:
    """As much of HTML as is read, without what is embedded in it: pictures written out, which would leave room for nothing else."""
    return (_EMBEDDED.sub("", text) if len(text) > MAX_CHARS else text)[:MAX_CHARS]
