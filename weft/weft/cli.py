"""The `weft` command: its verbs and their options. What they do is imported when they are used, so that each starts fast."""

import os
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from weft.execution import app as execution
from weft.parked import app as parked
from weft.secrets import app as secrets
from weft.template import app as template
from weft.workflow import app as workflow

DataDir = Annotated[Path, Parameter(name="--data-dir", help="Holds everything of one mesh. Default: WEFT_DATA_DIR, else .weft here.")]
ServiceName = Literal["gateway", "definitions", "engine", "events", "tasks", "analytics"]
HERE = Path(os.environ.get("WEFT_DATA_DIR", ".weft"))

app = App(name="weft", help="Weft runs workflows for the teams of many tenants.", version_flags=["--version"])
app.command(workflow)
app.command(template)
app.command(execution)
app.command(parked)
app.command(secrets)


@app.command
def up(*, processes: bool = False, data_dir: DataDir = HERE, port: int | None = None) -> None:
    """Run the whole mesh on this machine, until Ctrl-C.

    Parameters
    ----------
    processes
        One process per service and one worker, instead of one process for all.
    port
        Of the web address. Default: 8080, else a free one.
    """
    from weft.commands.up import up as run

    run(data_dir, processes=processes, port=port)


@app.command
def down(*, data_dir: DataDir = HERE) -> None:
    """Stop the mesh, or what a killed one left running."""
    from weft.commands.down import down as run

    run(data_dir)


@app.command
def status(*, json: bool = False, data_dir: DataDir = HERE) -> None:
    """Show what runs, where, and how to sign in.

    Parameters
    ----------
    json
        For programs: {url, data_dir, database_url, broker_url, services, demo}.
    """
    from weft.commands.status import status as run

    run(data_dir, as_json=json)


@app.command
def logs(
    service: str | None = None, *, follow: Annotated[bool, Parameter(alias="-f", negative=())] = False, data_dir: DataDir = HERE
) -> None:
    """Show what the services, PostgreSQL and RabbitMQ wrote.

    Parameters
    ----------
    service
        A service's name, `worker`, `postgres` or `rabbitmq`. Default: all.
    follow
        Go on with new lines until Ctrl-C.
    """
    from weft.commands.logs import logs as run

    run(data_dir, service, follow=follow)


@app.command
def doctor(*, data_dir: DataDir = HERE) -> None:
    """Look for what keeps a mesh from running here, and say how to mend it."""
    from weft.commands.doctor import doctor as run

    run(data_dir)


@app.command
def token(email: str = "admin@demo.weft", *, data_dir: DataDir = HERE) -> None:
    """Print an access token of one of the demo tenant's people, for use in a header."""
    from weft.commands.token import token as run

    run(data_dir, email)


@app.command
def worker(*, pool: str | None = None) -> None:
    """Run a worker that takes activities from a pool.

    Parameters
    ----------
    pool
        Default: WEFT_POOL, else `default`.
    """
    from weft.importing import uncollected

    with uncollected():
        from weft.commands.service import work

    work(pool)


@app.command
def migrate(*services: ServiceName) -> None:
    """Make services' schemas and roles and bring them up to this code (WEFT_DATABASE_URL, WEFT_SECRET_KEY)."""
    from weft.importing import uncollected
    from weft.rooms import NAMES

    with uncollected():
        from weft.commands.migrate import migrate as run

    run(services or NAMES)


@app.command
def gateway() -> None:
    """Run the gateway alone, told by WEFT_… variables what it needs."""
    _serve("gateway")


@app.command
def definitions() -> None:
    """Run the definitions service alone, told by WEFT_… variables what it needs."""
    _serve("definitions")


@app.command
def engine() -> None:
    """Run the engine alone, told by WEFT_… variables what it needs."""
    _serve("engine")


@app.command
def events() -> None:
    """Run the events service alone, told by WEFT_… variables what it needs."""
    _serve("events")


@app.command
def tasks() -> None:
    """Run the tasks service alone, told by WEFT_… variables what it needs."""
    _serve("tasks")


@app.command
def analytics() -> None:
    """Run the analytics service alone, told by WEFT_… variables what it needs."""
    _serve("analytics")


def _serve(name: ServiceName) -> None:
    from weft.importing import uncollected

    with uncollected():
        from weft.commands.service import serve

    serve(name)


def main() -> None:
    """Run the command line."""
    app()
