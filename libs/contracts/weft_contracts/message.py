"""What every word of the mesh is: a frozen pydantic model with a `type` and a `version`."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

REGISTRY: dict[tuple[str, int], type[Message]] = {}
"""Every word by (type, version), filled as the modules of the owners are imported."""


class Message(BaseModel):
    """A word: data said by one owner. Readers ignore fields they do not know, so adding an optional field breaks nobody.

    A concrete word sets `type` and `version`; `owner` is the room that says an event or hears a command.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: ClassVar[str]
    version: ClassVar[int] = 1
    owner: ClassVar[str]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Enter the word into the catalog. Raises: TypeError when (type, version) is taken by another class."""
        super().__pydantic_init_subclass__(**kwargs)
        if "type" not in cls.__dict__:
            return
        taken = REGISTRY.setdefault((cls.type, cls.version), cls)
        if taken.__qualname__ != cls.__qualname__ or taken.__module__ != cls.__module__:
            raise TypeError(f"{cls.type} version {cls.version} is already {taken.__qualname__}")


class Event(Message):
    """A fact, said by its one owner on `weft.events` with the key `<tenant>.<type>`, heard by anyone."""


class Command(Message):
    """A request to the one room that owns it, sent on `weft.commands` to that room's inbox."""


class PartitionCommand(Command):
    """A request to the engine partition that owns `execution_id`, sent on `weft.commands` to `engine.p.<n>`."""

    owner: ClassVar[str] = "engine"


class WorkRequest(Event):
    """What a worker is asked, sent on `weft.work` to its pool; it answers to the queue in the item's `replyto`."""


class PartitionReply(Event):
    """What a worker answers about an activity; it goes to the queue named in the request's `replyto`, mostly that of a partition."""

    owner: ClassVar[str] = "engine"
