"""`weft parked`: its verbs and their options."""

from typing import Annotated

from cyclopts import App, Parameter

from weft.options import DEMO_ADMIN, Asker, Id

Of = Annotated[str, Parameter(name="--of", help="The service that parked it.")]
Nobodys = Annotated[bool, Parameter(name="--without-tenant", negative=(), help="Those that name no tenant; for operators.")]

app = App(name="parked", help="Look at messages that a service could not handle, and settle them.")


@app.command(name="list")
def list_parked(*, of: Of = "engine", nobodys: Nobodys = False, limit: int = 50, asker: Asker = DEMO_ADMIN) -> None:
    """List what waits to be settled, the oldest first.

    Parameters
    ----------
    limit
        At most so many, up to 200.
    """
    from weft.commands.parked import list_parked as run

    run(asker, of, limit, nobodys=nobodys)


@app.command
def show(id_: Id, *, of: Of = "engine", nobodys: Nobodys = False, asker: Asker = DEMO_ADMIN) -> None:
    """Show one with its reason and its item."""
    from weft.commands.parked import show as run

    run(asker, of, id_, nobodys=nobodys)


@app.command
def replay(
    id_: Id,
    *,
    data: Annotated[str | None, Parameter(help="JSON, in the place of the item's own.")] = None,
    of: Of = "engine",
    nobodys: Nobodys = False,
    asker: Asker = DEMO_ADMIN,
) -> None:
    """Let one be handled again, as if it had just come."""
    from weft.commands.asking import read_json
    from weft.commands.parked import settle

    given = read_json(data, "--data")
    settle(asker, of, id_, "replay", None if given is None else {"data": given}, nobodys=nobodys)


@app.command
def discard(id_: Id, *, of: Of = "engine", nobodys: Nobodys = False, asker: Asker = DEMO_ADMIN) -> None:
    """Give one up for good."""
    from weft.commands.parked import settle

    settle(asker, of, id_, "discard", None, nobodys=nobodys)
