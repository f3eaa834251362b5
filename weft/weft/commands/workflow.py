"""`weft workflow`: list, show, publish and start."""

from typing import Any
from urllib.parse import quote

from weft.commands.asking import Mesh, as_text, told
from weft.commands.execution import show_one
from weft.commands.labels import labels_of
from weft.commands.terminal import say, table
from weft.options import Asker


def list_workflows(asker: Asker, asked: dict[str, Any]) -> None:
    """Print workflows, the newest first. asked: the parameters of the list."""
    with Mesh(asker) as mesh:
        found = mesh.get("/workflows", **asked)
    if asker.as_json:
        say(as_text(found))
        return
    head = ("Workflow", "Status", "Version", "Active", "Name")
    table(head, [(one["slug"], one["status"], str(one["version"]), _active(one), one["name"]) for one in found["items"]])
    if found["next_cursor"]:
        say("… and more: narrow it, or raise --limit.")


def show(asker: Asker, slug: str, version: int | None) -> None:
    """Print a workflow and its definition."""
    with Mesh(asker) as mesh:
        found = mesh.get(f"/workflows/{quote(slug, safe='')}", version=version)
    if asker.as_json:
        say(as_text(found))
        return
    say(line(found))
    say(as_text(found["definition"]))


def act(asker: Asker, slug: str, verb: str, body: dict[str, Any]) -> None:
    """Do a verb to a workflow and print what it is then. body: members that are None are left out."""
    with Mesh(asker) as mesh:
        changed = mesh.post(f"/workflows/{quote(slug, safe='')}/{verb}", told(body))
    say(as_text(changed) if asker.as_json else line(changed))


def start(asker: Asker, slug: str, body: dict[str, Any], labels: list[str], wait: str | None) -> None:
    """Start an execution and print it, ended where it was waited for and did end. labels: each `name=value`."""
    asked = told(body) | ({"labels": labels_of(labels)} if labels else {})
    with Mesh(asker) as mesh:
        answer = mesh.post(f"/workflows/{quote(slug, safe='')}/trigger", asked, wait=wait)
    show_one(answer, asker)


def line(workflow: dict[str, Any]) -> str:
    """A workflow on a line: what it is, and which version new executions run."""
    return f"{workflow['slug']} version {workflow['version']}  {workflow['status']}, active version: {_active(workflow) or 'none'}"


def _active(workflow: dict[str, Any]) -> str:
    return "" if workflow["active_version"] is None else str(workflow["active_version"])
