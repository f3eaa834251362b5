"""The outside of the hunted programs: it starts them, decides, signals, publishes, pauses and resumes, cancels, retries."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4, uuid5

import msgspec
from weft_contracts import routing
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.envelope import Item, schema_of
from weft_contracts.frames import encode_frame
from weft_runtime.bus import OutFrame

from tests.engine.programs.shadow.frames import Layout
from tests.faults.hunt.hunted import Hunted
from tests.faults.hunt.journals import Journal, Journals
from tests.faults.hunt.programs import Program
from tests.faults.mesh import TENANT

SOON_S = 0.3
"""Until the outside does what it is waited for, on average."""
PATIENCE_S = 25.0
"""What an execution waits for longer is not going to come: its guards refuse all that the outside has. It is cancelled."""
KEYS = range(-1, 8)
"""What values of `event.data.k` there may be."""
CANCELLED, PAUSED, RETRIED, EARLY, BY_HTTP = 0.12, 0.3, 0.3, 0.25, 0.5
"""Shares of the programs."""


@dataclass
class Outside:
    """What it has done. roots: the program of each execution that it started.  did: how often it did what.

    accepted: starts that were answered, so that there is something to ask.
    """

    hunted: Hunted
    journals: Journals
    rng: random.Random
    roots: dict[UUID, Program] = field(default_factory=dict)
    did: Counter[str] = field(default_factory=Counter)
    told: set[tuple[UUID, str, int, int]] = field(default_factory=set)
    accepted: set[UUID] = field(default_factory=set)
    doing: set[asyncio.Task[None]] = field(default_factory=set)

    def later(self, doing: Coroutine[Any, Any, None]) -> None:
        """Do something beside the rest."""
        self.doing.add(asyncio.create_task(doing))

    def busy(self) -> bool:
        """Whether anything is still being done. Raises: what any of it raised."""
        over = {task for task in self.doing if task.done()}
        self.doing -= over
        for task in over:
            task.result()
        return bool(self.doing)

    def pause_s(self, most: float = 10.0) -> float:
        """A little while."""
        return min(most, self.rng.expovariate(1 / SOON_S))

    async def start(self, program: Program) -> None:
        """Let everybody hear of a program, and start it."""
        for slug, document in program.documents.items():
            word = WorkflowChanged(slug=slug, name=slug, revision=1, status="active", active_version=1, definition=document)
            await self.hunted.mesh.say(word)
        await until(lambda: program.documents.keys() <= self.journals.workflows)
        id_ = await self._by_http(program) if program.id is None and self.rng.random() < BY_HTTP else await self._by_command(program)
        self.roots[id_] = program
        if self.rng.random() < PAUSED:
            self.later(self._pause(id_))
        if program.predicted is None:
            self._meddle(id_, program)

    async def _by_http(self, program: Program) -> UUID:
        key = f"start {program.slug}".replace(" ", "-")
        while True:
            answer = await self.hunted.ask("engine", "POST", f"/workflows/{program.slug}/trigger", {"input": program.input}, key)
            if answer.status_code == 202:
                self.did["start by HTTP"] += 1
                id_ = UUID(answer.json()["execution_id"])
                self.accepted.add(id_)
                return id_
            assert answer.status_code in (404, 409), answer.text  # the engine has not heard of it yet
            await asyncio.sleep(1.0)

    async def _by_command(self, program: Program) -> UUID:
        id_ = program.id or UUID(int=self.rng.getrandbits(128), version=4)
        data = {"execution_id": id_, "workflow": program.slug, "workflow_version": 1, "input": program.input, "trigger": {"type": "manual"}}
        item = Item(
            id=str(id_), source="faults", type="execution.start", tenantid=TENANT, subject=str(id_),
            dataschema=schema_of("execution.start", 1), data=msgspec.Raw(msgspec.json.encode(data)),
        )  # fmt: skip
        queue = routing.partition_queue(routing.partition_of(id_))
        await self.hunted.mesh.send([OutFrame(routing.COMMANDS, queue, encode_frame([item]))])
        self.did["start by command"] += 1
        return id_

    def _meddle(self, id_: UUID, program: Program) -> None:
        """What will happen to it beside what it waits for."""
        if self.rng.random() < CANCELLED:
            self.later(self._cancel(id_, self.rng.uniform(0.0, 5.0)))
        if self.rng.random() < RETRIED:
            self.later(self._retry(id_))
        if self.rng.random() < EARLY:
            for name in sorted(Layout(program.documents[program.slug]).signals):
                self.later(self._signal(id_, name))

    async def follow(self) -> None:
        """Give each visit what it waits for, until cancelled."""
        while True:
            await self.journals.changed.wait()
            self.journals.changed.clear()
            for journal in list(self.journals.all.values()):
                for (node, visit), waited in list(journal.open.items()):
                    if (told := (journal.id, node, visit, journal.retries)) not in self.told:
                        self.told.add(told)
                        doing = self._decide if waited["kind"] == "task" else self._leave
                        self.later(doing(journal, node, visit, waited))

    async def _decide(self, journal: Journal, node: str, visit: int, waited: Mapping[str, Any]) -> None:
        """Complete a task, until the execution has heard of it."""
        await asyncio.sleep(self.pause_s())
        task = uuid5(journal.id, f"task:{node}:{visit}")
        outcome = self.rng.choice(waited["task"]["outcomes"])
        while (node, visit) in journal.open:
            body = {"outcome": outcome, "form": {"v": visit}}
            answer = await self.hunted.ask("tasks", "POST", f"/user-tasks/{task}/complete", body, f"done-{task}")
            assert answer.status_code in (200, 404, 409), answer.text
            self.did["task completed"] += answer.status_code == 200
            await asyncio.sleep(SOON_S if answer.status_code != 200 else 5.0)

    async def _leave(self, journal: Journal, node: str, visit: int, waited: Mapping[str, Any]) -> None:
        """Send what a state waits for, or let its time pass, again and again; what nothing is good enough for is cancelled at last."""
        began = asyncio.get_running_loop().time()
        names = list(waited.get("signals", ()))
        while (node, visit) in journal.open:
            await asyncio.sleep(self.pause_s())
            if asyncio.get_running_loop().time() - began > PATIENCE_S:
                await self._cancel(journal.id, 0.0)
                return
            ways = [*(["signal"] if names else []), *(["event"] if waited.get("events") else []), "nothing"]
            match self.rng.choice(ways):
                case "signal":
                    await self._signal(journal.id, self.rng.choice(names))
                case "event":
                    await self._publish(journal)
                case _:
                    await asyncio.sleep(SOON_S)

    async def _signal(self, id_: UUID, name: str) -> None:
        key = str(uuid4())
        body = {"payload": {"n": self.rng.randrange(4)}, "signal_id": key}
        answer = await self._known(id_, f"/executions/{id_}/signals/{name}", body, key)
        self.did[f"signal {answer}"] += 1

    async def _publish(self, journal: Journal) -> None:
        """What may be what a program waits for, for each value that it may look for."""
        program = next((one for one in self.roots.values() if journal.workflow in one.documents), None)
        if program is None:
            return  # it has begun, and who started it has not heard of that yet
        types = {type_ for document in program.documents.values() for type_ in Layout(document).events}
        type_ = self.rng.choice(sorted(types)).replace("*", "done")
        number = self.rng.randrange(4)
        events = [{"specversion": "1.0", "id": str(uuid4()), "source": "/hunt", "type": type_, "data": {"k": k, "n": number}} for k in KEYS]
        for event in self.rng.sample(events, len(events)):
            answer = await self.hunted.ask("events", "POST", "/events", event, str(event["id"]))
            assert answer.status_code == 202, answer.text
            self.did["event published"] += 1

    async def _cancel(self, id_: UUID, after_s: float) -> None:
        await asyncio.sleep(after_s)
        self.did[f"cancel {await self._known(id_, f'/executions/{id_}/cancel', {}, str(uuid4()))}"] += 1

    async def _pause(self, id_: UUID) -> None:
        """Pause it some times. Who is resumed by one engine before it is paused by another, which was slow, is resumed again."""
        for _ in range(self.rng.randrange(1, 4)):
            await asyncio.sleep(self.rng.uniform(0.0, 2.0))
            self.did[f"pause {await self._known(id_, f'/executions/{id_}/pause', {}, str(uuid4()))}"] += 1
            await asyncio.sleep(self.rng.uniform(0.0, 2.0))
            self.did[f"resume {await self._known(id_, f'/executions/{id_}/resume', {}, str(uuid4()))}"] += 1
        while (journal := self.journals.all.get(id_)) is None or journal.ended is None:
            await asyncio.sleep(2.0)
            if journal is not None and journal.paused:
                self.did[f"resume {await self._known(id_, f'/executions/{id_}/resume', {}, str(uuid4()))}"] += 1

    async def _retry(self, id_: UUID) -> None:
        """Go back in it once it has failed."""
        await until(lambda: id_ in self.journals.all and self.journals.all[id_].ended is not None)
        if self.journals.all[id_].ended in ("execution.failed", "execution.timed_out", "execution.cancelled"):
            self.did[f"retry {await self._known(id_, f'/executions/{id_}/retry', {}, str(uuid4()))}"] += 1

    async def _known(self, id_: UUID, path: str, body: Any, key: str) -> int:
        """Ask something of an execution that there may not be yet. Returns: the status of the answer."""
        await until(lambda: id_ in self.accepted or id_ in self.journals.all)
        while True:
            answer = await self.hunted.ask("engine", "POST", path, body, key)
            if answer.status_code != 404 or id_ in self.journals.all:
                assert answer.status_code < 500, answer.text
                return answer.status_code
            await asyncio.sleep(SOON_S)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until this holds."""
    while True:
        if holds():
            return
        await asyncio.sleep(SOON_S)
