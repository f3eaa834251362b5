"""`weft execution bulk`: one verb on many executions, looked at before and watched to its end."""

import sys
from typing import Any

from weft.commands.asking import Mesh, as_text, told
from weft.commands.execution import show_table
from weft.commands.labels import labels_of
from weft.commands.terminal import SOME_REFUSED, confirm, refuse, say, watched
from weft.execution import Which
from weft.options import Asker

SHOWN_REFUSALS = 20
ENDED = ("completed", "stopped")


def bulk(
    asker: Asker,
    verb: str,
    which: Which,
    ids: list[str] | None,
    options: dict[str, Any],
    given: dict[str, Any],
    *,
    preview: bool,
    yes: bool,
    wait: bool,
) -> None:
    """Choose, ask, do and watch. options: of the verb.  given: more of the request. Members that are None are left out of both.

    Exits with 1 when it is refused or nobody says yes; with 3 when some executions refused or the job was stopped.
    """
    body = {"verb": verb, "filter": chosen(which, ids), "options": told(options), **told(given)}
    with Mesh(asker) as mesh:
        if asker.as_json and not (preview or yes):
            refuse("A program is not asked: add --yes, or --preview.")
        if preview or not yes:
            found = mesh.post("/executions/bulk", {**body, "preview": True})
            if preview and asker.as_json:
                say(as_text(found))
                return
            _show_preview(found)
            if preview or found["total"] == 0:
                return
            confirm(f"{verb} all {found['total']}?", f"{verb} them")
        job = mesh.post("/executions/bulk", body)
        if wait:
            id_ = job["id"]
            job = watched(lambda: mesh.get(f"/bulk/{id_}"), lambda found: found["status"] not in ENDED, _line, quiet=asker.as_json)
        say(as_text(job) if asker.as_json else _line(job))
        if job["progress"]["refused"] and not asker.as_json:
            for item in mesh.get(f"/bulk/{job['id']}/items", status="refused", limit=SHOWN_REFUSALS)["items"]:
                say(f"  {item['execution_id']}  {item['code']}: {item['detail']}")
    if wait and (job["progress"]["refused"] or job["status"] == "stopped"):
        sys.exit(SOME_REFUSED)


def chosen(which: Which, ids: list[str] | None) -> dict[str, Any]:
    """The filter of the request: only what was given. Exits with 1 where a label has no value."""
    everything = {
        "workflow": which.workflow,
        "status": which.status or None,
        "version": which.version,
        "key": which.key,
        "label": labels_of(which.label) or None,
        "from": which.since,
        "to": which.until,
        "q": which.q,
        "ids": ids or None,
    }
    return told(everything)


def _show_preview(found: dict[str, Any]) -> None:
    of = ", ".join(f"{count} {status}" for status, count in sorted(found["by_status"].items()))
    say(f"{found['total']} executions" + (f": {of}" if of else ""))
    if found["sample"]:
        show_table(found["sample"], "created_at")


def _line(job: dict[str, Any]) -> str:
    progress = job["progress"]
    return f"{job['id']}  {job['status']}: {progress['ok']} done, {progress['refused']} refused, of {job['total']}"
