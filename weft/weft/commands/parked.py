"""`weft parked`: messages that a service could not handle."""

from typing import Any
from urllib.parse import quote

from weft.commands.asking import Mesh, as_text
from weft.commands.terminal import say, table
from weft.options import Asker


def list_parked(asker: Asker, service: str, limit: int, *, nobodys: bool) -> None:
    """Print what waits to be settled, the oldest first."""
    with Mesh(asker) as mesh:
        found = mesh.get(path_to(service, nobodys), limit=limit)
    if asker.as_json:
        say(as_text(found))
        return
    head = ("Parked", "Type", "Code", "Since", "Reason")
    table(head, [(one["id"], one["type"], one["code"], one["parked_at"], one["reason"]) for one in found["items"]])
    if found["next_cursor"]:
        say("… and more: raise --limit.")


def show(asker: Asker, service: str, id_: str, *, nobodys: bool) -> None:
    """Print one with its item."""
    with Mesh(asker) as mesh:
        found = mesh.get(_one(service, id_, nobodys))
    if asker.as_json:
        say(as_text(found))
        return
    say(_line(found))
    say(f"  {found['code']}: {found['reason']}")
    say(as_text(found["item"]))


def settle(asker: Asker, service: str, id_: str, verb: str, body: dict[str, Any] | None, *, nobodys: bool) -> None:
    """Replay or discard one and print what it is then."""
    with Mesh(asker) as mesh:
        found = mesh.post(f"{_one(service, id_, nobodys)}/{verb}", body)
    say(as_text(found) if asker.as_json else _line(found))


def path_to(service: str, nobodys: bool) -> str:
    """Where a service shows what it parked. nobodys: those that name no tenant."""
    # Written down here once more, and a test compares: to import the doors takes longer than the whole command.
    return ("/parked" if service == "engine" else f"/{service}/parked") + ("/without-tenant" if nobodys else "")


def _one(service: str, id_: str, nobodys: bool) -> str:
    return f"{path_to(service, nobodys)}/{quote(id_, safe='')}"


def _line(parked: dict[str, Any]) -> str:
    return f"{parked['id']}  {parked['type']} from {parked['queue']}  {parked['status']}"
