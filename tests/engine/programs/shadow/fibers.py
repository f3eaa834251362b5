"""Fibers: coroutines that rest at waits which the outside resolves, and that own the fibers they begin."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, field
from typing import Any

RANG = "rang"
"""What a wait gives back when its alarm, and nothing else, ended it."""
INSIDE = ("children", "undo", "enter")
"""Waits for what the execution itself does: its fibers, its undoing, the look at all that is due."""


class Failed(Exception):
    """A node or scope failed. node: where the error began, None where nothing is said about it."""

    def __init__(self, code: str, node: str | None, *, message: str | None = None, permanent: bool = False) -> None:
        super().__init__(code)
        self.code, self.node, self.message, self.permanent = code, node, message, permanent


class Stopped(Exception):
    """The whole execution is over: by an `end` node, or because it never rests. code: of the error, where it ends with one."""

    def __init__(self, node: str, status: str, output: Any = None, code: str = "ended_failed") -> None:
        super().__init__(node)
        self.node, self.status, self.output, self.code = node, status, output, code


@dataclass(eq=False, slots=True)
class Wait:
    """A place where a fiber rests. earliest, latest: between which its alarm rings, milliseconds; None without one."""

    kind: str
    node: str
    visit: int = 0
    attempt: int = 0
    earliest: int | None = None
    latest: int | None = None
    about: dict[str, Any] = field(default_factory=dict)
    fiber: Fiber | None = None

    def __await__(self) -> Generator[Wait, Any, Any]:
        return (yield self)


@dataclass(eq=False, slots=True)
class Fiber:
    """One line of execution. path: its place among the fibers, for the order of what it does. ended: children that have, in order."""

    coroutine: Coroutine[Any, Any, Any]
    parent: Fiber | None
    tag: Any
    path: tuple[Any, ...]
    children: list[Fiber] = field(default_factory=list)
    ended: deque[tuple[Any, bool, Any]] = field(default_factory=deque)
    waiting: Wait | None = None
    dead: bool = False


class Fibers:
    """Runs fibers until all of them rest. taken_back: told of each wait that is given up.

    quiet: visits that ended since one last rested.
    """

    def __init__(self, taken_back: Callable[[Wait], None]) -> None:
        self.open: dict[Wait, None] = {}
        self.running: Fiber | None = None
        self.quiet = 0
        self._ready: deque[tuple[Fiber, Any, Failed | None]] = deque()
        self._patient: list[Wait] = []
        self._taken_back = taken_back
        self._born = 0

    def spawn(self, coroutine: Coroutine[Any, Any, Any], parent: Fiber | None = None, tag: Any = None) -> Fiber:
        """Begin a fiber; it runs when those before it rest."""
        self._born += 1
        fiber = Fiber(coroutine, parent, tag, (*(parent.path if parent else ()), self._born))
        if parent is not None:
            parent.children.append(fiber)
        self._ready.append((fiber, None, None))
        return fiber

    def wake(self, wait: Wait, value: Any = None, error: Failed | None = None) -> None:
        """Resolve a wait that is open."""
        del self.open[wait]
        fiber = wait.fiber
        assert fiber is not None
        fiber.waiting = None
        self._ready.append((fiber, value, error))

    def wake_last(self, kind: str) -> None:
        """Resolve the open waits of a kind, once everything else has come to rest."""
        self._patient += [wait for wait in self.open if wait.kind == kind and wait not in self._patient]

    def run(self) -> None:
        """Go on until every fiber rests. Raises: Stopped when one of them ends the execution."""
        while self._ready or self._patient:
            while self._patient and not self._ready:
                wait = self._patient.pop(0)
                if wait in self.open:
                    self.wake(wait)
            if self._ready:
                fiber, value, error = self._ready.popleft()
                if not fiber.dead:
                    self._resume(fiber, value, error)

    def _resume(self, fiber: Fiber, value: Any, error: Failed | None) -> None:
        self.running = fiber
        try:
            wait: Wait = fiber.coroutine.throw(error) if error is not None else fiber.coroutine.send(value)
        except StopIteration as stop:
            self._ended(fiber, True, stop.value)
        except Failed as failed:
            self._ended(fiber, False, failed)
        else:
            wait.fiber, fiber.waiting = fiber, wait
            self.open[wait] = None
            if wait.kind not in INSIDE:
                self.quiet = 0
            self._tell(fiber)

    def _ended(self, fiber: Fiber, well: bool, value: Any) -> None:
        fiber.dead = True
        if fiber.parent is not None:
            fiber.parent.children.remove(fiber)
            fiber.parent.ended.append((fiber.tag, well, value))
            self._tell(fiber.parent)

    def _tell(self, fiber: Fiber) -> None:
        """Wake a fiber that waits for its children when one of them has ended."""
        if fiber.waiting is not None and fiber.waiting.kind == "children" and fiber.ended:
            self.wake(fiber.waiting, fiber.ended.popleft())

    def cancel(self, fiber: Fiber) -> None:
        """Give up a fiber and everything it began."""
        for child in list(fiber.children):
            self.cancel(child)
        if fiber.parent is not None and fiber in fiber.parent.children:
            fiber.parent.children.remove(fiber)
        fiber.dead = True
        if fiber.waiting is not None:
            self.open.pop(fiber.waiting, None)
            self._taken_back(fiber.waiting)
            fiber.waiting = None
        fiber.coroutine.close()
