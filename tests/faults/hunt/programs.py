"""The programs of a hunt: of the whole language, with times of moments instead of minutes, and names and events of their own."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from tests.engine.programs.generating.maker import Document
from tests.engine.programs.generating.nodes import BEHAVIOURS
from tests.engine.programs.generating.scenarios import EVERYTHING, MAIN, programs
from tests.engine.programs.meshed.predicting import Prediction, expected
from tests.engine.programs.shadow.frames import Layout
from tests.faults.mesh import POOL

FEATURES = EVERYTHING - {"calendar"}
"""Business time takes hours, and is played by the virtual clock."""
BUDGET = 12
QUICKER = 400
"""How much sooner everything is over. No two durations of a program become the same: two alarms of one moment may ring in any order."""
TRIES = 1_000
AT_ONCE: Document = {"attempts": 4, "delay": "50ms"}
_SECONDS = re.compile(r"(\d+)s")
_OF_INDEX = re.compile(r"\{\{ index \* 7 \+ (\d+) \}\}s")


@dataclass(frozen=True)
class Program:
    """number: which one of the hunt.  slug: of what is started.  documents: of that and of what it calls, by slug.

    id, predicted: of one whose end does not depend on the order of what happens, and is left alone.
    """

    number: int
    slug: str
    documents: dict[str, Document]
    input: Document
    id: UUID | None = None
    predicted: dict[UUID, Prediction] | None = None

    @property
    def events(self) -> str:
        """What the types of domain events begin with that are meant for it."""
        return f"e{self.number}."


def program(seed: int, number: int) -> Program:
    """The program of a number; the same ones make the same. Of every fourth the end is known before it begins."""
    rng = random.Random(f"{seed} {number}")
    if number % 4 == 0:
        found = next(one for _ in range(TRIES) if (one := expected(rng, number, POOL)) is not None and "http.request" not in str(one))
        return Program(number, found.slug, found.documents, found.input, found.id, found.executions)
    made = programs(rng.randrange, FEATURES, BUDGET)
    return of(number, made, {"n": rng.randrange(5), "items": [3, 4, 5][: rng.randrange(4)]})


def of(number: int, made: Mapping[str, Document], input_: Document) -> Program:
    """A program of definitions as they are generated."""
    names = {slug: f"p{number}-{slug}" for slug in made}
    documents = {names[slug]: for_hunt(document, names, f"e{number}.") for slug, document in made.items()}
    return Program(number, names[MAIN], documents, input_)


def for_hunt(document: Document, names: Mapping[str, str], events: str) -> Document:
    """The same program for the mesh's own workers and names. Nothing is left to chance that the journal does not tell of: no jitter."""
    made: Document = json.loads(json.dumps(document))
    made["slug"] = made["name"] = names[document["slug"]]
    made.get("sla", {}).pop("calendar", None)
    for settings in (made.get("settings", {}), made.get("sla", {})):
        _quicken(settings)
    for node in (cast("Document", one) for one in Layout(made).nodes.values()):
        _quicken(node)
        with_ = node["with"]
        if node["type"] == "http.request":  # What is asked by a connection is asked of our own pool here.
            name = next((one for one in BEHAVIOURS if one in with_["url"]), "ok")
            node["type"], with_ = "activity", {"name": name, "input": None}
        _enhanced_here(node)
        if node["type"] == "activity":
            node["with"] = _asked(with_)
            node.setdefault("retry", dict(AT_ONCE))
        if "retry" in node:
            node["retry"]["jitter"] = False
            _quicken(node["retry"])
        if "compensate" in node:  # Undoing is tried again by its own policy, which has jitter.
            undo = node["compensate"]["with"]
            name = undo.get("name", "ok").replace("flaky", "ok")  # what undoes by a connection is an activity here
            node["compensate"] = {"type": "activity", "with": _asked({"name": name, "input": undo.get("input")})}
        if node["type"] == "call":
            with_["workflow"] = names[with_["workflow"]]
        if node["type"] == "task":  # Whoever plays people here is one, and decides everything: who may is the tasks service's own tests'.
            for about in ("assignee", "candidates", "separate_from", "on_timeout"):
                with_.pop(about, None)
        if node["type"] in ("wait", "task", "state"):
            _quicken(with_)
            _quicken(with_.get("after", {}))
        for spec in with_.get("events", {}).values() if node["type"] == "state" else ():
            spec["event"] = spec["event"].replace("thing.", events)
    return made


def _enhanced_here(node: Document) -> None:
    """The tenant has the standard tier; an activity has no `body` that a model could give."""
    enhance = node.get("enhance", {"with": {}})
    enhance.setdefault("min_tier", "standard")
    if node["type"] == "activity" and "schema" in enhance["with"]:
        enhance["with"]["schema"]["properties"] = {"input": {}}


def _asked(with_: Document) -> Document:
    """An activity for our own pool. None that is never heard again: for that, workers are killed."""
    return {**with_, "queue": POOL, "name": with_["name"].replace("dies", "ok")}


def _quicken(values: dict[str, Any]) -> None:
    """Shorten the times among these."""
    for name, value in values.items():
        if not isinstance(value, str):
            continue
        if whole := _SECONDS.fullmatch(value):
            values[name] = f"{int(whole[1]) * 1_000 // QUICKER}ms"
        elif by_index := _OF_INDEX.fullmatch(value):
            values[name] = f"{{{{ index * 70 + {int(by_index[1]) * 1_000 // QUICKER} }}}}ms"
