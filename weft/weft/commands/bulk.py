"""`weft execution bulk`: one verb on many executions, looked at before and watched to its end."""

import sys
import time
from pathlib import Path
from typing import Any

from weft.commands.asking import Mesh, as_text
from weft.commands.execution import show_table
from weft.commands.terminal import refuse, say
from weft.execution import Which

LOOK_S = 0.5
SOME_REFUSED = 3
SHOWN_REFUSALS = 20
ENDED = ("completed", "stopped")


def bulk(
    data_dir: Path,
    who: str,
    verb: str,
    which: Which,
    ids: list[str] | None,
    options: dict[str, Any],
    given: dict[str, Any],
    *,
    preview: bool,
    yes: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Choose, ask, do and watch. options: of the verb.  given: more of the request. Members that are None are left out of both.

    Exits with 1 when it is refused or nobody says yes; with 3 when some executions refused or the job was stopped.
    """
    body = {"verb": verb, "filter": chosen(which, ids), "options": told(options), **told(given)}
    with Mesh(data_dir, who) as mesh:
        if as_json and not (preview or yes):
            refuse("A program is not asked: add --yes, or --preview.")
        if preview or not yes:
            found = mesh.post("/executions/bulk", {**body, "preview": True})
            if preview and as_json:
                say(as_text(found))
                return
            _show_preview(found)
            if preview or found["total"] == 0:
                return
            _confirm(verb, found["total"])
        job = mesh.post("/executions/bulk", body)
        if wait:
            job = _watched(mesh, job, quiet=as_json)
        say(as_text(job) if as_json else _line(job))
        if job["progress"]["refused"] and not as_json:
            for item in mesh.get(f"/bulk/{job['id']}/items", status="refused", limit=SHOWN_REFUSALS)["items"]:
                say(f"  {item['execution_id']}  {item['code']}: {item['detail']}")
    if wait and (job["progress"]["refused"] or job["status"] == "stopped"):
        sys.exit(SOME_REFUSED)


def chosen(which: Which, ids: list[str] | None) -> dict[str, Any]:
    """The filter of the request: only what was given. Exits with 1 where a label has no value."""
    labels = dict(label.partition("=")[::2] for label in which.label)
    if any("=" not in label for label in which.label):
        refuse("--label takes name=value")
    everything = {
        "workflow": which.workflow,
        "status": which.status or None,
        "version": which.version,
        "key": which.key,
        "label": labels or None,
        "from": which.since,
        "to": which.until,
        "q": which.q,
        "ids": ids or None,
    }
    return told(everything)


def told(members: dict[str, Any]) -> dict[str, Any]:
    """What was given: without the members that are None."""
    return {name: value for name, value in members.items() if value is not None}


def _show_preview(found: dict[str, Any]) -> None:
    of = ", ".join(f"{count} {status}" for status, count in sorted(found["by_status"].items()))
    say(f"{found['total']} executions" + (f": {of}" if of else ""))
    if found["sample"]:
        show_table(found["sample"], "created_at")


def _confirm(verb: str, total: int) -> None:
    if not sys.stdin.isatty():
        refuse(f"Add --yes to {verb} them without being asked.")
    if input(f"{verb} all {total}? [y/N] ").strip().lower() not in ("y", "yes"):
        refuse("Nothing was done.")


def _watched(mesh: Mesh, job: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
    """The job once it has ended."""
    told = ""
    while job["status"] not in ENDED:
        if not quiet and _line(job) != told:
            told = _line(job)
            say(told)
        time.sleep(LOOK_S)
        job = mesh.get(f"/bulk/{job['id']}")
    return job


def _line(job: dict[str, Any]) -> str:
    progress = job["progress"]
    return f"{job['id']}  {job['status']}: {progress['ok']} done, {progress['refused']} refused, of {job['total']}"
