"""`weft template`: find templates, keep one's own, and make workflows of them."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from weft.commands.asking import Mesh, as_text, told
from weft.commands.documents import read_file
from weft.commands.terminal import refuse, say, table
from weft.commands.workflow import line
from weft.options import Asker


def list_templates(asker: Asker, asked: dict[str, Any]) -> None:
    """Print templates, by slug. asked: the parameters of the list."""
    with Mesh(asker) as mesh:
        found = mesh.get("/templates", **asked)
    if asker.as_json:
        say(as_text(found))
        return
    head = ("Template", "Version", "Whose", "Category", "Name")
    table(head, [(one["slug"], str(one["version"]), one["source"], one["category"], one["name"]) for one in found["items"]])
    if found["next_cursor"]:
        say("… and more: narrow it, or raise --limit.")


def show(asker: Asker, slug: str, version: int | None) -> None:
    """Print a template: what it is, and what a workflow of it is made by."""
    with Mesh(asker) as mesh:
        found = mesh.get(f"/templates/{quote(slug, safe='')}", version=version)
    if asker.as_json:
        say(as_text(found))
        return
    say(f"{found['slug']} version {found['version']}  {found['source']}: {found['description']}")
    needed = found["parameters"].get("required", [])
    for name, one in found["parameters"].get("properties", {}).items():
        usual = "needed" if name in needed else f"usually {one['default']!r}" if "default" in one else "may be left out"
        say(f"  {name}: {one.get('title', name)} ({usual})")
    for point in found["enhancements"]:
        say(f"  enhancement {point['id']}: {point['title']} ({point['min_tier']}{'' if point['available'] else ', not for you'})")


def save(asker: Asker, path: Path) -> None:
    """Keep the template in a file, or give the one there is a new version; print what it is then."""
    document = read_file(path)
    if not isinstance(document, dict) or not isinstance(document.get("slug"), str):
        refuse(f"{path}: a template is an object with a `slug`, `name`, `parameters` and a `definition`")
    where = f"/templates/{quote(document['slug'], safe='')}"
    with Mesh(asker) as mesh:
        there = mesh.find(where)
        own = there is not None and there["source"] == "own"
        content = {name: value for name, value in document.items() if name != "slug"}
        kept: dict[str, Any] = mesh.put(where, content) if own else mesh.post("/templates", document)
    say(as_text(kept) if asker.as_json else f"{kept['slug']} version {kept['version']}")


def instantiate(asker: Asker, slug: str, parameters: Path | None, given: Any, asked: dict[str, Any]) -> None:
    """Make a draft of a template and print it with its findings. given: parameters, before those of the file.

    asked: more of the request; members that are None are left out.
    """
    read = {} if parameters is None else read_file(parameters)
    if not isinstance(read, dict) or not isinstance(given or {}, dict):
        refuse("Parameters are an object: names and values.")
    with Mesh(asker) as mesh:
        made = mesh.post(f"/templates/{quote(slug, safe='')}/instantiate", {"parameters": read | (given or {}), **told(asked)})
    if asker.as_json:
        say(as_text(made))
        return
    say(line(made))
    for one in made["findings"]:
        say(f"  {one['severity']}  {one['pointer'] or '/'}  {one['code']}: {one['message']}")
