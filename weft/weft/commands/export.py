"""`weft execution export`: an execution as a recording, or as a test that lets it happen again without asking anything outside."""

import json
import pprint
import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from weft_engine.core.recording import tenant_seen, versions

from weft.commands.asking import Mesh, as_text
from weft.commands.terminal import say
from weft.options import Asker

PAGE: Final = 200
WIDTH: Final = 120


def export(asker: Asker, id_: str, *, pytest: bool, out: Path | None) -> None:
    """Print an execution, or write it to a file. pytest: as a test, else as the recording itself, JSON."""
    with Mesh(asker) as mesh:
        recorded, shown = recording(mesh, id_)
    text = as_test(recorded, shown) if pytest else as_text(recorded)
    if out is None:
        say(text)
    else:
        out.write_text(text + "\n", encoding="utf-8")
        say(f"{out}: {len(recorded['journal'])} entries of {shown['workflow']} version {shown['version']}, {shown['status']}")


def recording(mesh: Mesh, id_: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """(recording, execution): everything that happened, with the definitions it happened by. Exits with 1 when it is refused."""
    where = f"/executions/{quote(id_, safe='')}"
    shown, me = mesh.get(where), mesh.get("/me")
    journal: list[Any] = []
    cursor = None
    while True:
        page = mesh.get(f"{where}/history", limit=PAGE, cursor=cursor)
        journal += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    workflow, ran = f"/workflows/{quote(shown['workflow'], safe='')}", versions(journal) or [shown["version"]]
    recorded = {
        "execution_id": shown["id"],
        "workflow": shown["workflow"],
        "version": ran[0],
        "tenant": {"id": me["tenant"], **tenant_seen(journal, {"tier": me["tier"], "settings": {}})},
        "definitions": {str(version): mesh.get(workflow, version=version)["definition"] for version in ran},
        "journal": journal,
    }
    calendars = _calendars(mesh, recorded["definitions"])
    if calendars:
        recorded["calendars"] = calendars
    return recorded, shown


def _calendars(mesh: Mesh, definitions: dict[str, Any]) -> dict[str, Any]:
    """The tenant's business calendars by name as they are now, where a definition may read them."""
    if not re.search(r"calendar|business_time", json.dumps(definitions)):
        return {}
    names = [one["name"] for one in mesh.get("/calendars", limit=PAGE)["items"]]
    found = {name: mesh.get(f"/calendars/{quote(name, safe='')}") for name in names}
    return {name: {part: shown[part] for part in ("zone", "hours", "holidays")} for name, shown in found.items()}


def as_test(recorded: dict[str, Any], shown: dict[str, Any]) -> str:
    """The text of a Python file with one test: the execution ends as it did, step by step."""
    name = re.sub(r"\W+", "_", f"{shown['workflow']}_{shown['id'][-12:]}")
    code = (shown["error"] or {}).get("code")
    # Through JSON, so that what stands in the file is plain data whatever it was here.
    plain = pprint.pformat(json.loads(json.dumps(recorded)), width=WIDTH, sort_dicts=False)
    return f'''"""Execution {shown["id"]} of {shown["workflow"]} version {shown["version"]}, as it happened.

Answers of the outside come from the recording, so nothing outside is asked. Change `RECORDED["definitions"]`, which has every
version it has run, to see whether a mended one does better: `differs_at` is then the first position at which it does something else.
The tenant's tier and settings are those that it saw: they stand in the journal, at `tenant_seen`, wherever the definition reads them.
"""

from weft_engine.core.recording import replayed

RECORDED = {plain}


def test_{name}_ends_as_it_did() -> None:
    again = replayed(RECORDED)
    assert (again.status, again.error and again.error["code"]) == ({shown["status"]!r}, {code!r})
    assert again.output == {shown["output"]!r}
    assert again.differs_at is None'''
