"""`weft workflow migrate` and `undo-migration`: looked at before, watched to the end."""

import sys
from typing import Any, Final
from urllib.parse import quote

from weft.commands.asking import Mesh, as_text, told
from weft.commands.terminal import SOME_REFUSED, confirm, refuse, say, watched
from weft.options import Asker

UNDER_WAY: Final = ("canary", "watching", "applying", "undoing")


def migrate(asker: Asker, slug: str, asked: dict[str, Any], *, preview: bool, yes: bool, wait: bool) -> None:
    """Plan, show, ask, apply and watch. asked: of the plan, members that are None are left out.

    Exits with 1 when it is refused or nobody says yes; with 3 when it halted or some executions were refused.
    """
    if asker.as_json and not (preview or yes):
        refuse("A program is not asked: add --yes, or --preview.")
    with Mesh(asker) as mesh:
        plan = mesh.post(f"/workflows/{quote(slug, safe='')}/migrations", told(asked))
        where = f"/migrations/{plan['id']}"
        plan = watched(lambda: mesh.get(where), lambda found: found["status"] == "planning", _line, quiet=True)
        if preview and asker.as_json:
            say(as_text(plan))
            return
        if not asker.as_json:
            _show_plan(plan)
        if preview or not plan["items"].get("planned"):
            return
        if not yes:
            confirm(f"move {plan['items']['planned']} to version {plan['to_version']}?", "move them")
        _end(mesh, where, mesh.post(f"{where}/apply"), asker, wait=wait)


def undo(asker: Asker, id_: str, *, yes: bool, wait: bool) -> None:
    """Ask, take back and watch. Exits as `migrate`."""
    where = f"/migrations/{quote(id_, safe='')}"
    with Mesh(asker) as mesh:
        if not yes:
            found = mesh.get(where)
            confirm(f"take {found['items'].get('migrated', 0)} back to version {found['from_version']}?", "take them back")
        _end(mesh, where, mesh.post(f"{where}/undo"), asker, wait=wait)


def _end(mesh: Mesh, where: str, migration: dict[str, Any], asker: Asker, *, wait: bool) -> None:
    if wait:
        migration = watched(lambda: mesh.get(where), lambda found: found["status"] in UNDER_WAY, _line, quiet=asker.as_json)
    say(as_text(migration) if asker.as_json else _line(migration))
    if wait and (migration["status"] == "halted" or migration["items"].get("refused")):
        if migration["halted"] and not asker.as_json:
            halted = migration["halted"]
            say(f"  {halted['errors']} errors of {halted['of']}: POST {where}/apply goes on, `weft workflow undo-migration` back")
        sys.exit(SOME_REFUSED)


def _show_plan(plan: dict[str, Any]) -> None:
    say(_line(plan))
    for one in plan["proposed"]:
        if one["from"] != one["to"]:
            say(f"  {one['from']} becomes {one['to'] or 'nothing'} ({one['confidence']:.2f}: {one['reason']})")
    for kind in ("reasons", "warnings"):
        for one in plan[kind]:
            say(f"  {one['count']} {'blocked' if kind == 'reasons' else 'warned'} by {one['code']}: {one['example']}")


def _line(migration: dict[str, Any]) -> str:
    items = ", ".join(f"{count} {status}" for status, count in sorted(migration["items"].items()))
    return f"{migration['id']}  {migration['status']}" + (f": {items}" if items else "") + f", of {migration['total']}"
