"""What must come of a program whatever the order in which things happen: several orders are tried in the shadow, and must agree."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass
from typing import cast
from uuid import UUID, uuid5

from tests.engine.programs.driving.playing import RARE_FROM, play
from tests.engine.programs.driving.world import World
from tests.engine.programs.generating.maker import Document
from tests.engine.programs.generating.scenarios import MAIN, Scenario, programs
from tests.engine.programs.shadow.frames import Layout

INLINE = {"set", "transform", "if", "switch", "publish", "fail", "end"}
FEATURES = frozenset({*INLINE, "activity", "group", "parallel", "foreach", "loop", "call", "compensate"})
ORDERS = 30
AT_ONCE = {"attempts": 3, "delay": "0s", "jitter": False}


@dataclass(frozen=True)
class Prediction:
    """How one execution ends. outcome: status, output, error code.  keys: of its outside effects.  visits: how often each node began.

    events: ids of those published.
    """

    outcome: str
    keys: frozenset[str]
    visits: tuple[tuple[str, int], ...]
    events: frozenset[str]


@dataclass(frozen=True)
class Expected:
    """A program for the mesh. slug: of its main definition.  executions: what comes of it, and of each child."""

    id: UUID
    slug: str
    documents: dict[str, Document]
    input: Document
    executions: dict[UUID, Prediction]


def expected(rng: random.Random, number: int, pool: str, features: frozenset[str] = FEATURES) -> Expected | None:
    """A program and what must come of it; None for one that depends on the order."""
    made = programs(rng.randrange, features, 10)
    names = {slug: f"p{number}-{slug}" for slug in made}
    documents = {names[slug]: for_mesh(document, names, pool) for slug, document in made.items()}
    scenario = Scenario({MAIN: documents[names[MAIN]], **documents}, {"n": rng.randrange(5), "items": [3, 4, 5]}, b"")
    id_ = UUID(int=rng.getrandbits(128), version=4)
    found = [predicted(id_, scenario, bytes(rng.randrange(RARE_FROM) for _ in range(200))) for _ in range(ORDERS)]
    if any(one != found[0] for one in found) or found[0] is None:
        return None
    return Expected(id_, names[MAIN], documents, scenario.input, found[0])


def predicted(id_: UUID, scenario: Scenario, script: bytes, held_up: str | None = None) -> dict[UUID, Prediction] | None:
    """What comes of it when things happen in one order; None when it does not end by itself. held_up: what is, until it is lifted."""
    world = World.of(Scenario(scenario.programs, scenario.input, script), engine=False, ties=True, id_=id_)
    if held_up is not None:
        world.hold_up(held_up)
    world = play(world)
    found: dict[UUID, Prediction] = {}
    for pair in world.pairs.values():
        shadow = pair.shadow
        if "cancel" in "".join(world.log):
            return None
        effects = [effect for _, effect in shadow.walk.effects]
        keys = frozenset(f"{pair.id}:{effect[1]}:{effect[2]}" for effect in effects if effect[0] == "activity")
        visits = Counter(effect[1] for effect in effects if effect[0] == "visit" and effect[1:] not in shadow.walk.turned_away)
        outcome = json.dumps([shadow.status, shadow.output, shadow.error and shadow.error.code], sort_keys=True)
        events = frozenset(str(uuid5(pair.id, f"event:{effect[1]}:{effect[2]}")) for effect in effects if effect[0] == "publish")
        found[pair.id] = Prediction(outcome, keys, tuple(sorted(visits.items())), events)
    return found


def for_mesh(document: Document, names: dict[str, str], pool: str) -> Document:
    """The same program for the mesh's own workers and names, with nothing that takes long."""
    made: Document = json.loads(json.dumps(document))
    made["slug"] = made["name"] = names[document["slug"]]
    made.get("settings", {}).pop("max_duration", None)
    for node in (cast("Document", one) for one in Layout(made).nodes.values()):
        node.pop("timeout", None)
        if node["type"] == "activity":
            node["with"] |= {"queue": pool, "name": node["with"]["name"].replace("dies", "ok")}
            node["retry"] = AT_ONCE
        elif node["type"] == "http.request":
            node["with"] |= {"url": node["with"]["url"].replace("dies", "ok")}
            node["retry"] = AT_ONCE
        if "compensate" in node and node["compensate"]["type"] == "activity":  # It is tried again by its own policy, which takes its time.
            with_ = node["compensate"]["with"]
            node["compensate"]["with"] = {**with_, "queue": pool, "name": with_["name"].replace("flaky", "ok")}
        if node["type"] == "call":
            node["with"]["workflow"] = names[node["with"]["workflow"]]
    return made
