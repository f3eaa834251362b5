"""`weft <service>`, `weft worker`: one part of a mesh, told by the environment what it needs."""

import uvloop
from pydantic import ValidationError
from weft_runtime.errors import WeftError
from weft_runtime.service import run

from weft.commands.terminal import refuse
from weft.importing import uncollected
from weft.rooms import room
from weft.services import build, settings, worker


def serve(name: str) -> None:
    """Run one service until SIGTERM. Exits with 1 when it cannot be started."""
    _run_alone(name, None)


def work(pool: str | None) -> None:
    """Run a worker of this pool, WEFT_POOL or `default` when None, until SIGTERM. Exits with 1 when it cannot be started."""
    _run_alone("engine", {"pool": pool} if pool else {})


def _run_alone(name: str, as_worker: dict[str, str] | None) -> None:
    with uncollected():
        try:
            given = settings(room(name), **(as_worker or {}))
        except ValidationError as error:
            missing = ", ".join("WEFT_" + str(part["loc"][0]).upper() for part in error.errors())
            refuse(f"The {name} cannot start: set or correct {missing}.\n{error}")
        service = build(room(name), given) if as_worker is None else worker(given)
    try:
        uvloop.run(run([service]))
    except (WeftError, OSError) as error:
        refuse(f"The {name} cannot start: {error}")
