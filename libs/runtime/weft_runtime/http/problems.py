"""Problem documents: the one form of every error. Source: RFC 9457."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from weft_runtime.errors import Detail, WeftError
from weft_runtime.http import pointers
from weft_runtime.telemetry.tracing import trace_id

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:weft:problem:"
MAX_ERRORS = 100

_CODES = {
    400: ("malformed", "the request is malformed; see the API's description"),
    404: ("not_found", "there is nothing at this path; see /api/v1/openapi.json for what there is"),
    405: ("method_not_allowed", "this path has no such method; the Allow header names those it has"),
    406: ("not_acceptable", "this answer cannot be given in the form asked for"),
    408: ("request_timeout", "the request took too long to arrive; send it again"),
    413: ("too_large", "the body is larger than allowed"),
    415: ("unsupported_media_type", "send the body as application/json"),
    431: ("headers_too_large", "the request's headers are too large"),
}


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    errors: Sequence[Mapping[str, str]] = (),
    extra: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An error as an answer. code: stable, for programs.  detail: for people.  extra: further members."""
    document: dict[str, Any] = {**(extra or {})}
    document |= {
        "type": TYPE_PREFIX + code,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "trace_id": trace_id(),
    }
    if errors:
        document["errors"] = list(errors[:MAX_ERRORS])
    # A detail may quote what a client sent, whole surrogates or not; an answer is always UTF-8.
    body = orjson.dumps(_whole(document), default=str, option=orjson.OPT_NON_STR_KEYS)
    return Response(body, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def from_weft_error(error: WeftError) -> Response:
    """The answer to one of the house's errors."""
    headers = dict(error.headers)
    if error.retry_after_s is not None or error.status in (429, 503):
        headers["Retry-After"] = str(error.retry_after_s or 1)
    if error.status == 401:
        challenge = 'Bearer realm="weft", error="invalid_token"' if error.code != "unauthenticated" else 'Bearer realm="weft"'
        headers.setdefault("WWW-Authenticate", challenge)
    return problem(
        error.status, error.code, error.message, errors=[_shown(detail) for detail in error.details], extra=error.extra, headers=headers
    )


def from_http_exception(error: HTTPException) -> Response:
    """The answer where the framework refused: no such route, no such method."""
    code, detail = _CODES.get(error.status_code, ("http_error", str(error.detail)))
    if error.status_code >= 500:
        code, detail = "internal_error", "something went wrong on our side"
    return problem(error.status_code, code, detail, headers=error.headers)


def from_validation_error(error: RequestValidationError) -> Response:
    """The answer to input that does not fit its model: 422 with a pointer for each thing wrong."""
    details = [_shown(detail) for detail in pointers.details(error.errors()[:MAX_ERRORS], error.body)]
    return problem(422, "invalid", "the input does not fit; `errors` says where and how", errors=details)


def internal_error() -> Response:
    """The answer to a bug of ours: nothing of it but the trace id, under which the log has the rest."""
    return problem(500, "internal_error", "something went wrong on our side; tell us the trace id if it stays")


def _shown(detail: Detail) -> dict[str, str]:
    shown = {"pointer": detail.pointer, "code": detail.code, "detail": detail.detail}
    return shown if detail.source == "body" else {**shown, "in": detail.source}


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_whole(name): _whole(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_whole(item) for item in value]
    return value
