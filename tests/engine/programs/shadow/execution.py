"""One execution as the shadow sees it: started, told what happens, until it ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any
from uuid import UUID

from tests.engine.programs.shadow.around import Around
from tests.engine.programs.shadow.events import Event
from tests.engine.programs.shadow.expressions import render
from tests.engine.programs.shadow.fibers import RANG, Failed, Fiber, Stopped, Wait
from tests.engine.programs.shadow.frames import Document, Frame
from tests.engine.programs.shadow.gates import Gate, gates_of
from tests.engine.programs.shadow.leaves import Kept, Leaves, Taken, takes, undo
from tests.engine.programs.shadow.office import put_off
from tests.engine.programs.shadow.promising import promises, put_off_waits
from tests.engine.programs.shadow.trying import milliseconds
from tests.engine.programs.shadow.walking import Walk

Alarm = tuple[int, int, Wait | None]
"""(earliest, latest, the wait it ends); no wait: the execution's own `max_duration`. Milliseconds."""


class Execution:
    """The prediction for one execution. status: `new`, `queued` at its gate, `live`, `paused` or an end.  output, error: once it has ended.

    seen: ids of the signals and events that have come to it.  gates: that it has to pass to begin.  waited_for: its caller waits for it.
    """

    def __init__(self, id_: UUID, document: Document, depth: int = 0, around: Around | None = None, *, waited_for: bool = False) -> None:
        self.id, self.document, self.waited_for = id_, document, waited_for
        self.gates: tuple[Gate, ...] = ()
        self.settings = document.get("settings", {})
        self.status, self.output = "new", None
        self.error: Failed | None = None
        self.undone_badly: list[str] = []
        self.leaves = Leaves(id_, depth)
        self.walk = Walk(document, {}, self.leaves, around or Around())
        self._frame = Frame("")
        self.seen: set[str] = set()
        self._root: Fiber | None = None
        self._dying: tuple[str, Failed] | None = None
        self._deadline: int | None = None
        self._promises: dict[str, int] = {}
        self._paused_from, self._paused_at = "live", 0
        self._paused_by: str | None = None
        self._held: list[Callable[[], Any]] = []

    @property
    def ended(self) -> bool:
        """Whether nothing can happen any more."""
        return self.status in ("completed", "failed", "cancelled", "timed_out")

    def start(self, input_: Mapping[str, Any], now: int) -> None:
        """Begin, or wait at the gate."""
        if self.status == "new":
            self.walk.now, self.walk.input = now, input_
            self.gates = gates_of(self.document, input_, self.walk.around, waited_for=self.waited_for)
            if not self.gates:
                self._begin()
            else:
                self.status = "queued"

    def refuse(self) -> None:
        """It never begins: another lives with its key."""
        self._end("cancelled", None)

    def admit(self, now: int, gates: Collection[str] = ()) -> None:
        """It is let in: to begin, or to go on with what was held up at these gates."""
        if self.status == "paused":
            self._held.append(lambda: self.admit(self.walk.now, gates))
        elif not self.ended:
            self._so_late(now)
            if self.status == "queued":
                if not gates:
                    self._begin()
                return
            for wait in self.waits("gate"):
                if wait.about["gate"] in gates:
                    self.walk.let_in.add(wait.about["gate"])
                    self.walk.fibers.wake(wait)
            self._run()

    def skip(self, now: int) -> None:
        """It does not begin: another lives behind its gate."""
        if self.status == "paused":
            self._held.append(lambda: self.skip(self.walk.now))
        elif self.status == "queued":
            self.walk.now = now
            self._end("cancelled", None)

    def _begin(self) -> None:
        self.status = "live"
        now = self.walk.now
        if "max_duration" in self.settings:
            self._deadline = now + milliseconds(self.settings["max_duration"])
        self._promises = promises(self.document, now)
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
                self._dying = ("failed", Failed(end.code, end.node, permanent=end.code == "runaway"))
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
        found += [(at, at, Wait("sla", word)) for word, at in self._promises.items()]
        return sorted(found, key=lambda alarm: alarm[1])

    def _so_late(self, now: int) -> None:
        """It is this late. What has come to pass of its sla is said before anything else, also before an end."""
        self.walk.now, self.walk.fibers.running = now, None
        for word, at in self._promises.items() if self.status == "live" else ():
            if at <= now:
                self.walk.did("sla", word)
        if self.status == "live":
            self._promises = {word: at for word, at in self._promises.items() if at > now}

    def tick(self, now: int, place: Callable[[Wait | None], int] = lambda _: 0) -> None:
        """Time has come: what is due rings, the soonest first, and only then something begins. place: in line, of those of one moment."""
        self._so_late(now)
        self.walk.looking = True
        for earliest, _, wait in sorted(self.alarms(), key=lambda alarm: (alarm[1], place(alarm[2]))):
            if earliest > now or self.ended:
                continue
            if wait is None:
                self._die("timed_out", Failed("max_duration", None))
            elif wait in self.walk.fibers.open:
                self.walk.fibers.wake(wait, RANG)
                self._run()
        self.walk.looking = False
        for wait in self.waits("enter"):
            self.walk.fibers.wake(wait)
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
        self._so_late(now)
        for wait in self.waits(kind):
            if (wait.node, wait.visit, wait.attempt) == (node, visit, attempt):
                failed = isinstance(value, Failed)
                self.walk.fibers.wake(wait, None if failed else value, value if failed else None)
                self._run()
                return

    def signal(self, id_: str, name: str, payload: Mapping[str, Any], now: int, promised: bool = False) -> str:
        """A signal arrives. promised: its sender was told that it is kept. Returns: what its sender is told."""
        if self.ended:
            return "ended"
        if self.status == "paused":
            self._held.append(lambda: self.signal(id_, name, payload, self.walk.now, promised=True))
            return "held"
        self._so_late(now)
        if id_ in self.seen:
            return "repeated"
        if name not in self.walk.layout.signals:
            return "unknown"
        waiting = [wait for wait in self.waits("state") if name in wait.about["signals"]]
        for wait in waiting:
            if takes(self.walk, wait, name, payload):
                self._deliver(wait, id_, (name, payload, None))
                return "delivered"
        if waiting and not promised:
            return "refused"
        self.seen.add(id_)
        self.leaves.kept.append(Kept(id_, name, payload, now + milliseconds(self.settings.get("signal_ttl", "168h"))))
        return "kept"

    def event(self, event: Event, name: str, now: int) -> None:
        """A domain event arrives that may be what some `state` waits for by that name; to whom it is not, it is nothing."""
        if self.status == "paused":
            self._held.append(lambda: self.event(event, name, self.walk.now))
        elif not self.ended:
            self._so_late(now)
            for wait in self.meant(event, name)[:1]:
                self._deliver(wait, event.id, (name, event.data, event.id))

    def meant(self, event: Event, name: str) -> list[Wait]:
        """The waits by that name that would take an event now; none once it has been taken."""
        if event.id in self.seen:
            return []
        return [
            wait
            for wait in self.waits("state")
            for one in wait.about["events"]
            if one.name == name and one.fits(event, self.walk.names(wait.about["frame"])) and takes(self.walk, wait, name, event.data)
        ]

    def _deliver(self, wait: Wait, id_: str, what: Taken) -> None:
        self.seen.add(id_)
        self.walk.fibers.wake(wait, what)
        self._run()

    def cancel(self, now: int) -> None:
        """Somebody cancels it: everything open is taken back, nothing is undone."""
        if not self.ended:
            self._so_late(now)
            self._give_up()
            self._end("cancelled", None)

    def pause(self, now: int, by: str | None = None) -> None:
        """It is paused: what comes is held, what was due waits. Those it called pause too. by: who wants it, None for its caller."""
        self._paused_by = self._paused_by or by
        if self.status in ("live", "queued"):
            self._paused_by = by
            self._so_late(now)
            self._paused_from, self.status, self._paused_at = self.status, "paused", now
            self._pass_on("child.pause")

    def resume(self, now: int, by: str | None = None) -> None:
        """It goes on: what remained of each time remains, working time where it is counted so, and what was held is done.

        What somebody paused does not go on because its caller does.
        """
        if self.status != "paused" or (by is None and self._paused_by is not None):
            return
        self.status, self.walk.now = self._paused_from, now
        self._pass_on("child.resume")
        since, length = self._paused_at, now - self._paused_at
        self.walk.rested += length
        put_off_waits(self.walk.fibers.open, since, now)
        if self._deadline is not None:
            self._deadline += length
        by_office = "calendar" in self.document.get("sla", {})
        self._promises = {word: put_off(at, since, now) if by_office else at + length for word, at in self._promises.items()}
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
