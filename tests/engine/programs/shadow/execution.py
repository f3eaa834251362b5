"""One execution as the shadow sees it: started, told what happens, until it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from tests.engine.programs.shadow.expressions import render
from tests.engine.programs.shadow.fibers import RANG, Failed, Fiber, Stopped, Wait
from tests.engine.programs.shadow.frames import Document, Frame
from tests.engine.programs.shadow.leaves import Kept, Leaves, takes, undo
from tests.engine.programs.shadow.walking import Walk, milliseconds

Alarm = tuple[int, int, Wait | None]
"""(earliest, latest, the wait it ends); no wait: the execution's own `max_duration`. Milliseconds."""


class Execution:
    """The prediction for one execution. status: `new`, `live`, `paused` or an end.  output, error: once it has ended."""

    def __init__(self, id_: UUID, document: Document, depth: int = 0) -> None:
        self.id, self.document = id_, document
        self.settings = document.get("settings", {})
        self.status, self.output = "new", None
        self.error: Failed | None = None
        self.undone_badly: list[str] = []
        self.leaves = Leaves(id_, depth)
        self.walk = Walk(document, {}, self.leaves)
        self._frame = Frame("")
        self._seen: set[str] = set()
        self._root: Fiber | None = None
        self._dying: tuple[str, Failed] | None = None
        self._deadline: int | None = None
        self._paused_at = 0
        self._held: list[Callable[[], Any]] = []

    @property
    def ended(self) -> bool:
        """Whether nothing can happen any more."""
        return self.status in ("completed", "failed", "cancelled", "timed_out")

    def start(self, input_: Mapping[str, Any], now: int) -> None:
        """Begin."""
        if self.status != "new":
            return
        self.status, self.walk.now, self.walk.input = "live", now, input_
        if "max_duration" in self.settings:
            self._deadline = now + milliseconds(self.settings["max_duration"])
        self._root = self.walk.fibers.spawn(self._main())
        self._run()

    async def _main(self) -> None:
        walk, frame = self.walk, self._frame
        walk.vars.update(render(self.document.get("vars", {}), walk.names(frame)))
        assert self._root is not None
        try:
            await walk.graph(self.document, frame, self._root)
            self._end("completed", self._own_output())
        except Failed as error:
            self._dying = ("failed", error)

    def _own_output(self) -> Any:
        return render(self.document.get("output", {}), self.walk.names(self._frame))

    async def _undoing(self, status: str, error: Failed) -> None:
        _, self.undone_badly = await undo(self.walk, None)
        self._end(status, None, error)

    def _run(self) -> None:
        """Go on until everything rests, through the end of the execution where it comes to that."""
        try:
            self.walk.fibers.run()
        except Stopped as end:
            if end.status == "failed":
                self._dying = ("failed", Failed("ended_failed", end.node))
            else:
                output = end.output if end.output is not None else self._own_output()
                self._give_up()
                self._end("completed", output)
        if self._dying is not None:
            (status, error), self._dying = self._dying, None
            self._die(status, error)

    def _die(self, status: str, error: Failed) -> None:
        self._give_up()
        if self.settings.get("on_failure") == "compensate":
            self._deadline = None
            self._root = self.walk.fibers.spawn(self._undoing(status, error))
            self._run()
        else:
            self._end(status, None, error)

    def _give_up(self) -> None:
        self.walk.fibers.running = None
        if self._root is not None:
            self.walk.fibers.cancel(self._root)

    def _end(self, status: str, output: Any, error: Failed | None = None) -> None:
        self.status, self.output, self.error = status, output, error

    def alarms(self) -> list[Alarm]:
        """Everything that time alone will do, soonest first; nothing while paused."""
        if self.status != "live":
            return []
        found: list[Alarm] = [(w.earliest, w.latest or 0, w) for w in self.walk.fibers.open if w.earliest is not None]
        if self._deadline is not None:
            found.append((self._deadline, self._deadline, None))
        return sorted(found, key=lambda alarm: alarm[1])

    def tick(self, now: int) -> None:
        """Time has come: what is due rings."""
        self.walk.now = now
        for earliest, _, wait in self.alarms():
            if earliest > now or self.ended:
                continue
            if wait is None:
                self._die("timed_out", Failed("max_duration", None))
            elif wait in self.walk.fibers.open:
                self.walk.fibers.wake(wait, RANG)
                self._run()

    def waits(self, kind: str) -> list[Wait]:
        """The open waits of a kind, in the order they were opened."""
        return [wait for wait in self.walk.fibers.open if wait.kind == kind]

    def answer(self, kind: str, node: str, visit: int, attempt: int, now: int, value: Any) -> None:
        """What an open wait waited for: an activity's result, a decision on a task, a child's end. Anything else is late."""
        if self.ended:
            return
        if self.status == "paused":
            self.walk.heard.add((kind, node, visit))
            self._held.append(lambda: self.answer(kind, node, visit, attempt, self.walk.now, value))
            return
        self.walk.now = now
        for wait in self.waits(kind):
            if (wait.node, wait.visit, wait.attempt) == (node, visit, attempt):
                failed = isinstance(value, Failed)
                self.walk.fibers.wake(wait, None if failed else value, value if failed else None)
                self._run()
                return

    def signal(self, id_: str, name: str, payload: Mapping[str, Any], now: int) -> str:
        """A signal arrives. Returns: what its sender is told."""
        if self.ended:
            return "ended"
        if self.status == "paused":
            self._held.append(lambda: self.signal(id_, name, payload, self.walk.now))
            return "held"
        self.walk.now = now
        if id_ in self._seen:
            return "repeated"
        if name not in self.walk.layout.signals:
            return "unknown"
        waiting = [wait for wait in self.waits("state") if name in wait.about["signals"]]
        for wait in waiting:
            if takes(self.walk, wait, name, payload):
                self._seen.add(id_)
                self.walk.fibers.wake(wait, (name, payload))
                self._run()
                return "delivered"
        if waiting:
            return "refused"
        self._seen.add(id_)
        self.leaves.kept.append(Kept(id_, name, payload, now + milliseconds(self.settings.get("signal_ttl", "168h"))))
        return "kept"

    def cancel(self, now: int) -> None:
        """Somebody cancels it: everything open is taken back, nothing is undone."""
        if not self.ended:
            self.walk.now = now
            self._give_up()
            self._end("cancelled", None)

    def pause(self, now: int) -> None:
        """Somebody pauses it: what comes is held, what was due waits. Those it called pause too."""
        if self.status == "live":
            self.status, self._paused_at = "paused", now
            self._pass_on("child.pause")

    def resume(self, now: int) -> None:
        """Somebody resumes it: deadlines move by the length of the pause, and what was held is done."""
        if self.status != "paused":
            return
        self.status, self.walk.now = "live", now
        self._pass_on("child.resume")
        length = now - self._paused_at
        for wait in self.walk.fibers.open:
            if wait.earliest is not None and wait.latest is not None:
                wait.earliest, wait.latest = wait.earliest + length, wait.latest + length
        if self._deadline is not None:
            self._deadline += length
        for kept in self.leaves.kept:
            kept.until += length
        held, self._held = self._held, []
        for item in held:
            item()

    def _pass_on(self, word: str) -> None:
        """Tell the children that are waited for and have not been heard of."""
        self.walk.fibers.running = None
        for wait in self.waits("child"):
            if ("child", wait.node, wait.visit) not in self.walk.heard:
                self.walk.did(word, wait.node, wait.visit)
