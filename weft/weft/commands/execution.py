"""`weft execution`: list, show, and act on one."""

import json
from typing import Any
from urllib.parse import quote

from weft.commands.asking import Mesh, as_text, read_json, told
from weft.commands.terminal import say, table
from weft.execution import Which
from weft.options import Asker


def list_executions(asker: Asker, which: Which, *, started_by: str | None, limit: int) -> None:
    """Print executions, the latest started first. started_by: an id, `me` for who asks, None for anybody."""
    asked = {
        "workflow": which.workflow,
        "status": which.status,
        "version": which.version,
        "key": which.key,
        "label": which.label,
        "started_by": started_by,
    }
    with Mesh(asker) as mesh:
        found = mesh.get("/executions", **asked, **{"from": which.since, "to": which.until}, q=which.q, limit=limit)
    if asker.as_json:
        say(as_text(found))
    else:
        show_table(found["items"], "started_at")
        if found["next_cursor"]:
            say("… and more: narrow it, or raise --limit.")


def show_table(executions: list[dict[str, Any]], when: str) -> None:
    """Print executions as a table. when: which of their times."""
    head = ("Execution", "Workflow", "Version", "Status", "Key", "Started")
    rows = [(one["id"], one["workflow"], str(one["version"]), one["status"], one["key"] or "", one[when]) for one in executions]
    table(head, rows)


def show(asker: Asker, id_: str) -> None:
    """Print an execution."""
    with Mesh(asker) as mesh:
        show_one(mesh.get(f"/executions/{quote(id_, safe='')}"), asker)


def act(asker: Asker, id_: str, verb: str, body: dict[str, Any] | None) -> None:
    """Do a verb to an execution and print what it is then. body: members that are None are left out."""
    with Mesh(asker) as mesh:
        given = None if body is None else told(body)
        show_one(mesh.post(f"/executions/{quote(id_, safe='')}/{verb}", given), asker)


def signal(asker: Asker, id_: str, name: str, payload: str | None) -> None:
    """Send a signal and print what became of it."""
    value = read_json(payload, "--payload")
    with Mesh(asker) as mesh:
        answer = mesh.post(f"/executions/{quote(id_, safe='')}/signals/{quote(name, safe='')}", {"payload": value})
    say(as_text(answer) if asker.as_json else f"{answer['signal']} to {answer['execution_id']}: {answer['status']}")


def explain(asker: Asker, id_: str) -> None:
    """Print why an execution is where it is."""
    with Mesh(asker) as mesh:
        found = mesh.get(f"/executions/{quote(id_, safe='')}/explain")
    if asker.as_json:
        say(as_text(found))
        return
    say(f"{found['execution_id']}  {found['status']}")
    for choice in found["choices"]:
        if choice["kind"] == "refused":
            say(f"  {choice['node']} (visit {choice['visit']}) refused the event {choice['event_id']}:")
        for one in choice["considered"]:
            mark = "->" if one["taken"] else "  "
            say(f"  {choice['node']} (visit {choice['visit']}) {mark} {one['to']}{_because(one['condition'])}")
    for one in found["left_out"]:
        outcomes = ", ".join(f"{name} {count} times" for name, count in one["outcomes"].items())
        say(f"  {one['node']}: {one['visits']} more visits{outcomes and f' ({outcomes})'}")
    if found["error"]:
        say(f"  error {found['error']['code']} at {found['error']['node']}: {found['error']['message']}")
    for reason in found["because"]:
        say(f"  {reason}")


def _because(tree: dict[str, Any] | None) -> str:
    """A condition with its value and those of its parts, on a line."""
    if tree is None:
        return ""
    parts = ", ".join(f"{part['expression']} is {json.dumps(part['value'], ensure_ascii=False)}" for part in tree["children"])
    value = json.dumps(tree["value"]) if tree["error"] is None else tree["error"]["message"]
    return f" when {tree['expression']}: {value}" + (f" ({parts})" if parts else "")


def show_one(shown: dict[str, Any], asker: Asker) -> None:
    """Print an execution, or what is known of it while its end is waited for elsewhere."""
    if asker.as_json:
        say(as_text(shown))
        return
    execution_id = shown.get("id") or shown["execution_id"]
    if "workflow" not in shown:
        # The engine took longer than an answer is waited for; what was asked is durable all the same.
        say(f"{execution_id}  {shown['status']}")
        return
    say(f"{execution_id}  {shown['workflow']} version {shown['version']}  {shown['status']}")
    for name in ("key", "labels", "started_at", "completed_at", "output", "error"):
        if shown[name] not in (None, {}, ""):
            say(f"  {name}: {shown[name] if isinstance(shown[name], str) else json.dumps(shown[name], ensure_ascii=False)}")
    for wait in shown["waiting_for"]:
        until = f" until {wait['until']}" if wait["until"] else ""
        say(f"  waits at {wait['node']} for a {wait['kind']}{until}")
    if shown["allowed_actions"]:
        say(f"  you can: {', '.join(shown['allowed_actions'])}")
