"""The description of the API: what each route takes, gives and needs, and how it fails. Source: OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi.openapi.utils import get_openapi

from weft_runtime.http.route import DoorRoute

VERSION = "1"

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem document.",
    "required": ["type", "title", "status", "detail", "code", "trace_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable; for programs."},
        "trace_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON pointer into the body, or into what `in` names."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                    "in": {"type": "string", "enum": ["query", "path", "header"]},
                },
            },
        },
    },
}
_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token, or an API key (`weft_…`).",
    }
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and request again gets the first answer, for 72 h.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag that was read; 412 when the resource has moved on.",
    "schema": {"type": "string"},
}


def describe(name: str, routes: Sequence[DoorRoute]) -> dict[str, Any]:
    """The OpenAPI document of these routes, with `x-permission` on each that needs one."""
    document = get_openapi(title=f"Weft {name}", version=VERSION, routes=list(routes))
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for framework_own in ("HTTPValidationError", "ValidationError"):
        schemas.pop(framework_own, None)
    schemas["Problem"] = _PROBLEM
    components["securitySchemes"] = _SCHEMES
    for route in routes:
        for method in route.methods or ():
            operation = document.get("paths", {}).get(route.path_format, {}).get(method.lower())
            if operation is not None:
                _complete(operation, route, method)
    return document


def _complete(operation: dict[str, Any], route: DoorRoute, method: str) -> None:
    if len(route.methods or ()) > 1:
        operation["operationId"] = f"{operation['operationId']}_{method.lower()}"
    parameters = operation.setdefault("parameters", [])
    if route.rules.public:
        operation["security"] = []
    else:
        operation["security"] = [{"bearer": []}]
        operation["x-permission"] = str(route.rules.may)
        if method == "POST":
            parameters.append(_IDEMPOTENCY_KEY)
    if method == "PUT":
        parameters.append(_IF_MATCH)
    if not parameters:
        del operation["parameters"]
    responses = operation["responses"]
    responses.pop("422", None)
    responses["default"] = {
        "description": "A problem document.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
