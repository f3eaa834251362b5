"""Reading a body that is written as YAML, or that is a definition alone."""

from __future__ import annotations

from typing import Any

from weft_language.reading import UnreadableDocument, read_document
from weft_runtime.errors import Malformed


def read_yaml(body: bytes) -> Any:
    """The plain value of a YAML text, as strict as JSON is read. Raises: Malformed, with what is wrong as its code."""
    try:
        return read_document(body, "application/yaml")
    except UnreadableDocument as error:
        raise Malformed(str(error), code=error.code) from error


def around_definition(sent: Any) -> Any:
    """The body that a definition alone stands for; any other as it is."""
    bare = isinstance(sent, dict) and "definition" not in sent and ("nodes" in sent or "format" in sent)
    return {"definition": sent} if bare else sent
