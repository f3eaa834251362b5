"""`weft workflow validate` and `save`: from a file to a definition."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from weft_definitions import documents
from weft_language import UnreadableDocument, read_document
from weft_runtime.errors import WeftError

from weft.commands.asking import Mesh, as_text
from weft.commands.terminal import refuse, say
from weft.commands.workflow import line
from weft.options import Asker

JSON: Final = "application/json"
YAML: Final = "application/yaml"


def validate(document: Path, *, as_json: bool) -> None:
    """Print the findings on a definition. Exits with 1 where it cannot be read or published."""
    valid, publishable, findings = documents.verdict(_read(document))
    if as_json:
        say(as_text({"valid": valid, "publishable": publishable, "findings": [asdict(finding) for finding in findings]}))
    else:
        for finding in findings:
            say(f"{finding.severity}  {finding.pointer or '/'}  {finding.code}: {finding.message}")
            if finding.fix:
                say(f"  {finding.fix}")
        say("It can be published." if publishable else "It can be saved, but not published." if valid else "It cannot be saved.")
    if not publishable:
        sys.exit(1)


def save(asker: Asker, document: Path, *, publish: bool) -> None:
    """Create the workflow that a definition names, or give it a new version; print what it is then."""
    definition = _read(document).document
    slug = definition.get("slug") if isinstance(definition, dict) else None
    body = {"definition": definition, "status": "active" if publish else "draft"}
    with Mesh(asker) as mesh:
        path = f"/workflows/{quote(slug, safe='')}" if isinstance(slug, str) and slug else None
        exists = path is not None and mesh.find(path) is not None
        saved: dict[str, Any] = mesh.put(path, body) if path is not None and exists else mesh.post("/workflows", body)
    say(as_text(saved) if asker.as_json else line(saved))


def read_file(path: Path) -> Any:
    """What stands in a file, `-` for standard input: JSON where it begins as JSON does, else YAML. Exits with 1 where it is neither."""
    text = _bytes(path)
    try:
        return read_document(text, _media_type(text))
    except UnreadableDocument as error:
        refuse(f"{path}: {error}")


def _read(document: Path) -> documents.Sent:
    """The definition in a file."""
    text = _bytes(document)
    try:
        return documents.read(text, _media_type(text))
    except WeftError as error:
        refuse("\n".join([f"{document}: {error}", *(f"  {one.pointer or '/'}: {one.detail}" for one in error.details)]))


def _bytes(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        refuse(f"{path} cannot be read: {error.strerror}")


def _media_type(text: bytes) -> str:
    return JSON if text.lstrip()[:1] in (b"{", b"[") else YAML
