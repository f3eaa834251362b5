"""`http`: any service that has an address."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from weft_language.actions.action import Action, Fault
from weft_language.actions.http.model import HttpRequestWith


def _address(with_: Mapping[str, Any]) -> Iterator[Fault]:
    url = with_.get("url")
    if "connection" in with_:
        return  # it may be relative to that, and is held to its origin when it is called
    if isinstance(url, str) and not url.startswith("{{") and not re.match(r"https?://[^/\s]", url, re.IGNORECASE):
        yield Fault("url", f"`{url[:80]}` is not an absolute http or https address", "write it with https:// and the host")


REQUEST: Final = Action(
    "http.request",
    "HTTP request",
    "globe",
    "Calls a service over HTTP and reads its answer.",
    HttpRequestWith,
    {
        "type": "object",
        "properties": {
            "status": {"type": "integer", "minimum": 100, "maximum": 599},
            "headers": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Names in lower case."},
            "body": {"description": "The value of a JSON answer, else its text; null when empty."},
        },
        "required": ["status", "headers", "body"],
    },
    errors=(
        ("http_status", "the status is not one of `expect`; permanent for 4xx except 408, 425 and 429; details: status, headers, body"),
        ("http_unreachable", "no connection: name not found, refused, reset, or TLS failed"),
        ("http_timeout", "no whole answer within `timeout_s`"),
        ("http_blocked", "the address is private, local or not http(s); permanent"),
        ("http_too_large", "the answer is larger than 1 MiB; permanent"),
        ("http_bad_response", "the answer's body is not what `response` asks for; permanent"),
        ("http_bad_request", "the rendered request is not valid: address, method, header; permanent"),
        ("http_other_origin", "the address is not at the origin of the `connection`; permanent"),
    ),
    connections=("http",),
    as_written=("response", "expect", "timeout_s", "follow_redirects"),
    takes=(("url", "address"), ("method", "method"), ("headers", "object"), ("query", "object"), ("form", "object")),
    check=_address,
)

ACTIONS: Final = (REQUEST,)
