"""The templates that come with the release: files beside this module, each as a client would send it, with its slug and version."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from weft_language import read_document

from weft_definitions.templates import Template
from weft_definitions.templates.schemas import TemplateBody


@cache
def builtin() -> tuple[Template, ...]:
    """All of them, by slug. A file is a `TemplateBody` with a `version`."""
    folder = files(__package__).joinpath("builtin")
    return tuple(_read(one.read_bytes()) for one in sorted(folder.iterdir(), key=lambda one: one.name) if one.name.endswith(".yaml"))


def find(slug: str) -> Template | None:
    """One of them, None where there is none of this slug."""
    return next((template for template in builtin() if template.slug == slug), None)


def _read(text: bytes) -> Template:
    document: dict[str, Any] = read_document(text, "application/yaml")
    version = document.pop("version")
    body = TemplateBody.model_validate(document)
    return Template(body.content(body.slug), "builtin", version, version, version)
