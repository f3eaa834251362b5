"""How a service is made out of its room."""

import importlib
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from weft_runtime.http import Door
from weft_runtime.service import Service
from weft_runtime.service.service import Background
from weft_runtime.settings import ServiceSettings

from weft.importing import uncollected
from weft.rooms import ROOMS, Room


def settings(room: Room, **values: Any) -> ServiceSettings:
    """A service's settings: these values, the rest from the environment. Raises: pydantic.ValidationError."""
    kind: type[ServiceSettings] = importlib.import_module(f"{room.package}.settings").Settings
    return kind(**values)


def build(room: Room, given: ServiceSettings) -> Service:
    """The service, wired."""
    made: Service = importlib.import_module(f"{room.package}.app").build(given)
    return made


def with_worker(engine: Service) -> Service:
    """The engine that also runs the default pool's activities, for a mesh in one process."""
    return replace(engine, background=(*engine.background, _working(engine.settings)))


def worker(given: ServiceSettings) -> Service:
    """A worker alone: it takes activities from its pool's queue and has no doors but its health."""
    return Service(
        name="engine",
        package="weft_engine",
        settings=given,
        door=Door("worker"),
        handlers=None,
        tables=importlib.import_module("weft_engine.tables").metadata,
        background=(_working(given),),
    )


def _working(given: ServiceSettings) -> Background:
    return partial(importlib.import_module("weft_engine.app").run_worker, given)


def load() -> None:
    """Import the code of every service. What fails here fails again, audibly, where it is needed."""
    with uncollected():
        importlib.import_module("weft.mesh.serving")
        for each in ROOMS:
            with suppress(ImportError):
                importlib.import_module(f"{each.package}.app")
