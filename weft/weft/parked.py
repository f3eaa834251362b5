"""`weft parked`: its verbs and their options."""

from typing import Annotated

from cyclopts import App, Parameter

from weft.options import ADMIN, HERE, As, DataDir, Id, Json

Of = Annotated[str, Parameter(name="--of", help="The service that parked it.")]
Nobodys = Annotated[bool, Parameter(name="--without-tenant", negative=(), help="Those that name no tenant; for operators.")]

app = App(name="parked", help="Look at messages that a service could not handle, and settle them.")


@app.command(name="list")
def list_parked(
    *, of: Of = "engine", nobodys: Nobodys = False, limit: int = 50, json: Json = False, who: As = ADMIN, data_dir: DataDir = HERE
) -> None:
    """List what waits to be settled, the oldest first.

    Parameters
    ----------
    limit
        At most so many, up to 200.
    """
    from weft.commands.parked import list_parked as run

    run(data_dir, who, of, limit, nobodys=nobodys, as_json=json)


@app.command
def show(id_: Id, *, of: Of = "engine", nobodys: Nobodys = False, json: Json = False, who: As = ADMIN, data_dir: DataDir = HERE) -> None:
    """Show one with its reason and its item."""
    from weft.commands.parked import show as run

    run(data_dir, who, of, id_, nobodys=nobodys, as_json=json)


@app.command
def replay(
    id_: Id,
    *,
    data: Annotated[str | None, Parameter(help="JSON, in the place of the item's own.")] = None,
    of: Of = "engine",
    nobodys: Nobodys = False,
    json: Json = False,
    who: As = ADMIN,
    data_dir: DataDir = HERE,
) -> None:
    """Let one be handled again, as if it had just come."""
    from weft.commands.asking import read_json
    from weft.commands.parked import settle

    given = read_json(data, "--data")
    settle(data_dir, who, of, id_, "replay", None if given is None else {"data": given}, nobodys=nobodys, as_json=json)


@app.command
def discard(id_: Id, *, of: Of = "engine", nobodys: Nobodys = False, json: Json = False, who: As = ADMIN, data_dir: DataDir = HERE) -> None:
    """Give one up for good."""
    from weft.commands.parked import settle

    settle(data_dir, who, of, id_, "discard", None, nobodys=nobodys, as_json=json)
