"""The services of the mesh, by name: the one table. Light, so that commands which only look start at once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Room:
    """A service's place in the mesh. name: of its schema, role, inbox and command.  package: its Python package."""

    name: str
    package: str


# The gateway first: the others ask it for its public keys.
NAMES: tuple[str, ...] = ("gateway", "definitions", "engine", "events", "tasks", "analytics")
ROOMS: tuple[Room, ...] = tuple(Room(name, f"weft_{name}") for name in NAMES)


def room(name: str) -> Room:
    """The room of this name. Raises: KeyError."""
    return {each.name: each for each in ROOMS}[name]
