"""One OpenAPI document out of several. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]
_REF = "#/components/"


def merge(documents: Mapping[str, Document], *, title: str, version: str, description: str) -> dict[str, Any]:
    """The documents of all services as one OpenAPI 3.1 document.

    documents: by service name. A component two services define differently is kept twice, the later one under `<name>_<service>`;
    a path two services claim keeps the operations of the first and takes the missing ones from the next. An operation id that is taken
    gets the service's name behind it, since each names one operation.
    """
    paths: dict[str, dict[str, Any]] = {}
    components: dict[str, dict[str, Any]] = {}
    tags: dict[str, Any] = {}
    operations: set[str] = set()
    for service in sorted(documents):
        document = _disjoint(documents[service], components, service)
        for kind, named in document.get("components", {}).items():
            components.setdefault(kind, {}).update(named)
        for path, item in document.get("paths", {}).items():
            paths[path] = {**_named(item, operations, service), **paths.get(path, {})}
        tags.update({tag["name"]: tag for tag in document.get("tags", [])})
    merged: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": description},
        "paths": dict(sorted(paths.items())),
        "components": {kind: dict(sorted(named.items())) for kind, named in sorted(components.items())},
    }
    if tags:
        merged["tags"] = [tags[name] for name in sorted(tags)]
    return merged


def _named(item: Mapping[str, Any], taken: set[str], service: str) -> dict[str, Any]:
    """A path's operations with names nobody else has, which are taken from then on."""
    named: dict[str, Any] = {}
    for method, operation in item.items():
        if not isinstance(operation, Mapping) or "operationId" not in operation:
            named[method] = operation
            continue
        name = operation["operationId"]
        name = f"{name}_{service}" if name in taken else name
        taken.add(name)
        named[method] = {**operation, "operationId": name}
    return named


def _disjoint(document: Document, taken: Mapping[str, Mapping[str, Any]], service: str) -> dict[str, Any]:
    """`document` with the components renamed whose names mean something else in `taken`."""
    renames = {
        f"{_REF}{kind}/{name}": f"{name}_{service}"
        for kind, named in document.get("components", {}).items()
        for name, component in named.items()
        if kind != "securitySchemes" and taken.get(kind, {}).get(name, component) != component
    }
    if not renames:
        return dict(document)
    text = json.dumps(document)
    for ref, name in renames.items():
        text = text.replace(json.dumps(ref), json.dumps(ref.rpartition("/")[0] + "/" + name))
    renamed: dict[str, Any] = json.loads(text)
    for ref, name in renames.items():
        kind, old = ref.removeprefix(_REF).split("/", 1)
        renamed["components"][kind][name] = renamed["components"][kind].pop(old)
    return renamed
