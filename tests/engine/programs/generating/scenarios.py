"""Whole scenarios: the programs, the input, and the script of what happens."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from tests.engine.programs.generating.graphs import graph
from tests.engine.programs.generating.maker import Document, Maker, Place, below
from tests.engine.programs.shadow.frames import graphs_of

INLINE = frozenset({"set", "transform", "if", "switch", "publish", "fail", "end"})
RESTING = frozenset({"state", "activity", "http.request", "wait", "task", "call"})
HOLDING = frozenset({"group", "parallel", "foreach", "loop"})
EVERYTHING = INLINE | RESTING | HOLDING | {"compensate", "again", "events", "calendar", "sla", "enhance"}
"""What programs are made of: types of nodes, `retry` of what is more than one attempt (`again`), domain events that a `state` waits for,
business time, service levels, enhancements."""
ALWAYS_IN = frozenset({"activity", "set", "call", "events", "calendar", "sla"})
MEETING = (
    "enhance",
    "enhance",
    "http.request",
    "compensate",
    "parallel",
    "foreach",
    "group",
    "loop",
    "state",
    "task",
    "wait",
    "again",
    "again",
)
"""What has most to do with each other, and is put together alone."""
MAIN = "main"
ORDER = "order.placed"


@dataclass(frozen=True)
class Scenario:
    """programs: documents by slug, `main` is started.  script: one choice a byte, 0 where it is over.

    more: inputs of further executions of `main`.  orders: domain events by which the triggers of `main` start some.  tier: of the tenant.
    quotas: live executions, None for no bound; starts in a second, 0 for no bound, and how many at once.
    operated, suspended: whether somebody suspends something all the time, or at all.  early: whether signals do come early, before a pause.
    """

    programs: dict[str, Document]
    input: Document
    script: bytes
    more: tuple[Document, ...] = ()
    orders: tuple[Document, ...] = ()
    operated: bool = False
    suspended: bool = True
    early: bool = False
    tier: str = "standard"
    quotas: tuple[int | None, int, int] = (None, 0, 1)

    def __repr__(self) -> str:
        programs = "".join(shown(document) for document in self.programs.values())
        about = f"inputs: {json.dumps([self.input, *self.more])}, orders {json.dumps(self.orders)}, {self.tier}, quotas {self.quotas}"
        return f"\n{programs}{about}\nscript: bytes.fromhex('{self.script.hex(' ')}')\n"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """How hypothesis shows it."""
        printer.text(repr(self))


def shown(document: Document) -> str:
    """A definition to be read: a line for each node and edge, graphs inside nodes indented."""
    head = {name: value for name, value in document.items() if name not in ("nodes", "edges", "format", "name")}
    return json.dumps(head) + "\n" + _shown(document, "  ")


def _shown(graph: Mapping[str, Any], indent: str) -> str:
    lines = []
    for node in graph["nodes"]:
        inner = dict(graphs_of(node))
        with_ = {name: value for name, value in node["with"].items() if name not in ("nodes", "edges", "branches", "body")}
        lines.append(indent + json.dumps({**node, "with": with_}))
        lines += [f"{indent}  {key}:\n{_shown(one, indent + '    ')}".rstrip("\n") for key, one in inner.items()]
    lines += [indent + json.dumps(edge) for edge in graph.get("edges", ())]
    return "\n".join(lines) + "\n"


def focused(choose: Callable[[int], int], features: frozenset[str]) -> frozenset[str]:
    """All features, or some: what meets seldom among all of them meets often among few. Source: Groce et al., Swarm Testing (2012)."""
    how = choose(3)
    if how == 0:
        return features
    if how == 1:
        optional = sorted(features - ALWAYS_IN)
        chosen = choose(1 << len(optional))
        return features - {name for place, name in enumerate(optional) if not chosen >> place & 1}
    return features & (ALWAYS_IN | {MEETING[choose(len(MEETING))] for _ in range(3)})


def document(choose: Callable[[int], int], slug: str, features: frozenset[str], budget: int, children: tuple[str, ...]) -> Document:
    """One valid definition."""
    maker = Maker(choose, features, budget, children)
    body = graph(maker, Place())
    made: Document = {"format": "weft/v1", "slug": slug, "name": slug, "vars": maker.vars, **body}
    made["output"] = {"a": "{{ vars.a }}", "o": "{{ vars.o }}"}
    if maker.steps and maker.pick(2):
        made["output"]["s"] = f"{{{{ default(step.{maker.one(maker.steps)}.output, null) }}}}"
    settings: dict[str, Any] = {}
    if maker.one_in(8):
        settings["max_duration"] = maker.duration()
    if maker.one_in(4):
        settings["signal_ttl"] = maker.duration()
    if "compensate" in features and maker.pick(2):
        settings["on_failure"] = "compensate"
    if "sla" in features and maker.one_in(4):
        made["sla"] = sla(maker)
    return {**made, **({"settings": settings} if settings else {})}


def sla(maker: Maker) -> Document:
    """A promise to end in time."""
    terms = maker.one(({"due": maker.duration()}, {"due": f"{3_600 * (1 + maker.pick(30)) + maker.made}s", "calendar": "office"}))
    return {**terms, "warn_at": 0.5} if maker.pick(2) else terms


def programs(choose: Callable[[int], int], features: frozenset[str], budget: int) -> dict[str, Document]:
    """The program `main`, and those it may call."""
    chosen = focused(choose, features)
    children: dict[str, Document] = {}
    if "call" in features:
        for slug in ("child-a", "child-b")[: choose(3)]:
            children[slug] = document(choose, slug, chosen, 4, tuple(children))
    return {MAIN: document(choose, MAIN, chosen, budget, tuple(children)), **children}


SCRIPTS = st.binary(min_size=40, max_size=160)
"""Hypothesis makes long ones seldom where short ones are allowed; what is over is 0 anyhow."""


def scenario(choose: Callable[[int], int], features: frozenset[str], budget: int, script: bytes) -> Scenario:
    """Programs with what happens to them."""
    made = programs(choose, features, budget)
    input_ = {"n": choose(5), "items": [3, 4, 5][: choose(4)]}
    return Scenario(made, input_, script, tier=("premium", "standard", "enterprise")[choose(3)])


@st.composite
def scenarios(draw: Any, features: frozenset[str] = EVERYTHING, budget: int = 12) -> Scenario:
    """Programs with what happens to them."""
    made = scenario(lambda limit: int(draw(below(limit))), features, budget, b"")
    return replace(made, script=draw(SCRIPTS))


OPERATED = frozenset(
    {
        *INLINE,
        "activity",
        "http.request",
        "task",
        "wait",
        "call",
        "group",
        "parallel",
        "foreach",
        "compensate",
        "again",
        "enhance",
        "operated",
    }
)


def operated(choose: Callable[[int], int], script: bytes) -> Scenario:
    """A short program of nodes that models enhance and connections carry, with operators who suspend all that it is made of."""
    children = {"child-a": document(choose, "child-a", OPERATED, 2, ())} if choose(3) == 2 else {}
    made = {MAIN: document(choose, MAIN, OPERATED, 2 + choose(4), tuple(children)), **children}
    return Scenario(made, {"n": choose(5), "items": [3, 4]}, script, operated=True, tier="premium")


@st.composite
def suspensions(draw: Any) -> Scenario:
    """The same."""
    return replace(operated(lambda limit: int(draw(below(limit))), b""), script=draw(SCRIPTS))


EARLY = frozenset({"set", "state", "task", "activity"})


def early(choose: Callable[[int], int], script: bytes) -> Scenario:
    """A short program that comes to a `state` late, whose signals come early and are kept for a while, and which is paused meanwhile."""
    made = document(choose, MAIN, EARLY, choose(3), ())
    made.pop("edges", None)
    first: Document = {"id": "first", "type": "wait", "with": {"for": f"{20 + choose(60)}s"}}
    late: Document = {"id": "late", "type": "state", "with": {"signals": {"go": {}, "stop": {}}, "after": {"over": "40s"}}}
    made["nodes"] = [first, *made["nodes"], late]
    made["settings"] = {"signal_ttl": f"{30 + choose(90)}s"}
    return Scenario({MAIN: made}, {"n": choose(5), "items": []}, script, suspended=False, early=True)


@st.composite
def early_signals(draw: Any) -> Scenario:
    """The same."""
    return replace(early(lambda limit: int(draw(below(limit))), b""), script=draw(SCRIPTS))


def crowd(choose: Callable[[int], int], script: bytes) -> Scenario:
    """Several executions of one workflow whose `settings.concurrency` bounds how many live at once; what it calls may be bounded, too.

    So may all be by the tenant's quotas.
    """
    made = programs(choose, EVERYTHING - {"sla", "calendar"}, 5)
    for slug, one in made.items():
        if choose(3) if slug == MAIN else choose(2):
            rule: Document = {"limit": 1 + choose(2), "on_conflict": ("queue", "skip", "cancel_running")[choose(3)]}
            one.setdefault("settings", {})["concurrency"] = {**rule, "key": "{{ input.n }}"} if choose(2) else rule
    inputs = [{"n": choose(2), "items": [3, 4]} for _ in range(2 + choose(3))]
    quotas = (1 + choose(3) if choose(2) else None, choose(3) if choose(2) else 0, 1 + choose(2))
    tier = ("premium", "standard")[choose(2)]
    if choose(3):
        return Scenario(made, inputs[0], script, tuple(inputs[1:]), tier=tier, quotas=quotas)
    made[MAIN]["triggers"] = triggers(choose)
    orders = tuple({"k": choose(3), "n": choose(3), "items": [3, 4]} for _ in range(2 + choose(3)))
    return Scenario(made, inputs[0], script, orders=orders, tier=tier, quotas=quotas)


def triggers(choose: Callable[[int], int]) -> list[Document]:
    """The trigger of orders: one execution lives for each key."""
    key = ("{{ trigger.payload.k }}", "order {{ trigger.payload.n }}", "all", "{{ trigger.payload }}")[choose(4)]
    one: Document = {"id": "orders", "on": "event", "event": ("order.*", ORDER)[choose(2)], "key": key}
    one |= ({}, {"input": {"n": "{{ trigger.payload.n }}", "items": [1]}})[choose(2)]
    one |= ({}, {"when": "trigger.payload.n >= 1"}, {"enabled": False}, {"source": "/shop"})[choose(4)]
    return [one]


@st.composite
def crowds(draw: Any) -> Scenario:
    """The same."""
    return replace(crowd(lambda limit: int(draw(below(limit))), b""), script=draw(SCRIPTS))
