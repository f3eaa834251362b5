"""`weft workflow simulate` and `weft execution simulate`: what would happen, told on a terminal."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from weft.commands.asking import Mesh, as_text, told
from weft.commands.documents import read_file
from weft.commands.terminal import refuse, say
from weft.options import Asker

ANSWERS: Final = frozenset({"outputs", "outcomes", "errors"})


def simulate_workflow(asker: Asker, what: str, body: dict[str, Any], answers: Path | None) -> None:
    """Simulate a definition in a file, or a workflow by its slug where there is no such file. body: members that are None are left out."""
    asked = told(body) | _answers(answers)
    if Path(what).exists() or what == "-":
        path, asked["definition"] = "/workflows/simulate", read_file(Path(what))
    else:
        path = f"/workflows/{quote(what, safe='')}/simulate"
    _simulate(asker, path, asked)


def simulate_execution(asker: Asker, id_: str, body: dict[str, Any], document: Path | None, answers: Path | None) -> None:
    """Simulate how an execution goes on, or would have gone. document: a definition to go by."""
    definition = {} if document is None else {"definition": read_file(document)}
    _simulate(asker, f"/executions/{quote(id_, safe='')}/simulate", told(body) | _answers(answers) | definition)


def _simulate(asker: Asker, path: str, body: dict[str, Any]) -> None:
    with Mesh(asker) as mesh:
        shown = mesh.post(path, body)
    if asker.as_json:
        say(as_text(shown))
        return
    for line in lines(shown):
        say(line)


def lines(shown: dict[str, Any]) -> list[str]:
    """A simulation in lines: the way, what was waited for, what would be asked of the outside, the end, and what one should know."""
    found = [f"  {look['trigger']} would not take it: {look['detail']}" for look in shown["triggers"] if not look["matched"]]
    found += [f"  {step['node']}{_visit(step)} -> {_end(step)}{_because(step)}" for step in shown["steps"]]
    found += [f"  waited at {wait['node']} for {_whom(wait)} until {wait['until']}" for wait in shown["waits"] if wait["until"]]
    found += [f"  would ask {effect['type']} at {effect['node']}: {_short(effect['with'])}" for effect in shown["effects"]]
    found += [f"  waits at {wait['node']} for {wait['kind']}" for wait in shown["waiting_for"]]
    found += [f"  {one['severity']}: {one['message']}{'; ' + one['fix'] if one['fix'] else ''}" for one in shown["findings"]]
    return [f"{shown['workflow']}  {shown['status']}{_took(shown)}{_came_to(shown)}", *found]


def _visit(step: dict[str, Any]) -> str:
    return "" if step["visit"] == 1 else f" (visit {step['visit']})"


def _end(step: dict[str, Any]) -> str:
    if step["error"] is not None:
        return f"{step['error']['code']}: {step['error']['message']}"
    return str(step["outcome"] or step["status"])


def _because(step: dict[str, Any]) -> str:
    tree = step["condition"]
    return "" if tree is None else f"  as {tree['expression']} is {_short(tree['value'])}"


def _whom(wait: dict[str, Any]) -> str:
    return _short(wait["for"]) if wait["kind"] == "timer" else str(wait["kind"])


def _took(shown: dict[str, Any]) -> str:
    if not (shown["started_at"] and shown["ended_at"]):
        return ""
    return f" after {datetime.fromisoformat(shown['ended_at']) - datetime.fromisoformat(shown['started_at'])}"


def _came_to(shown: dict[str, Any]) -> str:
    if shown["error"] is not None:
        return f"  {shown['error']['code']}: {shown['error']['message']}"
    return f"  {_short(shown['output'])}" if shown["output"] else ""


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else text[:199] + "…"


def _answers(path: Path | None) -> dict[str, Any]:
    given = {} if path is None else read_file(path)
    if not isinstance(given, dict) or given.keys() - ANSWERS:
        refuse(f"{path} must be an object of {', '.join(sorted(ANSWERS))}, each by node")
    return given
