"""`weft workflow export`, `import` and `diagram`: definitions as files and pictures."""

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from weft_language import Definition, has_errors, validate, write_yaml
from weft_language.diagram import mermaid, svg

from weft.commands.asking import Mesh, as_text
from weft.commands.documents import read_file
from weft.commands.terminal import refuse, say
from weft.commands.workflow import line
from weft.options import Asker


def export(asker: Asker, slug: str, form: str, version: int | None, out: Path | None) -> None:
    """Print a definition, or write it to a file; a Serverless Workflow as YAML where the file's name says so.

    What it could not carry over is told on standard error.
    """
    with Mesh(asker) as mesh:
        text = mesh.text(f"/workflows/{quote(slug, safe='')}/export", format=form, version=version)
    if form == "serverless-workflow":
        document = json.loads(text)
        _tell(document["document"]["metadata"]["weft"]["findings"])
        text = write_yaml(document) if out is not None and out.suffix in (".yaml", ".yml") else as_text(document)
    elif form == "weft":
        text = as_text(json.loads(text))
    _put(text, out)


def bring_in(asker: Asker, path: Path, slug: str | None, existing: str, *, preview: bool) -> None:
    """Make a draft of a file and tell what could not be carried over. Exits with 1 where it is refused."""
    document = read_file(path)
    if not isinstance(document, dict):
        refuse(f"{path}: a definition is an object, and so is a Serverless Workflow")
    with Mesh(asker) as mesh:
        came = mesh.post("/workflows/import", document, slug=slug, existing=existing, dry_run="true" if preview else None)
    if asker.as_json:
        say(as_text(came))
    else:
        _tell(came["findings"])
        say(f"{came['slug']}: {'it can be imported' if came['valid'] else 'it cannot be imported'}" if preview else line(came["workflow"]))
    if not came["valid"]:
        sys.exit(1)


def diagram(asker: Asker, what: str, form: str, version: int | None, out: Path | None) -> None:
    """Print the picture of a definition in a file, which needs no mesh, or of a workflow by its slug where there is no such file."""
    if Path(what).exists() or what == "-":
        text = _drawn(read_file(Path(what)), form)
    else:
        with Mesh(asker) as mesh:
            text = mesh.text(f"/workflows/{quote(what, safe='')}/diagram", format=form, version=version)
    _put(text, out)


def _drawn(document: Any, form: str) -> str:
    found = validate(document)
    if has_errors(found):
        first = next(finding for finding in found if finding.severity == "error")
        refuse(f"It cannot be drawn ({first.pointer or '/'}: {first.message}); `weft workflow validate` tells all of it.")
    slug = Definition.model_validate(document).slug
    return (svg if form == "svg" else mermaid)({"slug": slug, **document})


def _tell(findings: list[dict[str, Any]]) -> None:
    for one in findings:
        sys.stderr.write(f"{one['severity']}  {one['pointer'] or '/'}  {one['code']}: {one['message']}\n")


def _put(text: str, out: Path | None) -> None:
    if out is None:
        say(text.rstrip("\n"))
    else:
        out.write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")
        say(f"{out}: {len(text.encode())} bytes")
