"""A program that failed, made smaller: alone and many times over, then with fewer kinds of faults, then without what it does not need."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from weft_language import validate

from tests.engine.programs.generating.maker import Document
from tests.engine.programs.generating.scenarios import shown
from tests.engine.programs.shadow.frames import graphs_of
from tests.faults.hunt.hunting import EVERYTHING, Faults, Report
from tests.faults.hunt.programs import Program

COPIES = 30
"""Of a program at once: a race that it lost once it loses again where it is run often."""
TRIES = 3
Attempt = Callable[[Sequence[Program], Faults], Awaitable[Report]]


async def shrunk(program: Program, faults: Faults, attempt: Attempt, *, within_s: float) -> str:
    """What is left of a program that failed, and of the faults under which it does; in words. attempt: a hunt for these on a new mesh."""
    deadline = time.monotonic() + within_s

    async def fails(one: Program, under: Faults, tries: int = 1) -> bool:
        for _ in range(tries):
            if time.monotonic() > deadline:
                return False
            if not (await attempt([copied(one, number) for number in range(COPIES)], under)).clean:
                return True
        return False

    if not await fails(program, faults, TRIES):
        return f"{TRIES} times {COPIES} copies of it alone went well"
    for fewer in _fewer(faults):
        if await fails(program, fewer):
            faults = fewer
            break
    smaller = True
    while smaller and time.monotonic() < deadline:
        smaller = False
        for candidate in _smaller(program):
            if await fails(candidate, faults):
                program, smaller = candidate, True
                break
    under = (
        f"faults of {', '.join((*faults.kinds, *faults.servers)) or 'no kind'}{', some stopped' if faults.stops and faults.kinds else ''}"
    )
    return f"it still fails under {under} as\n" + "".join(shown(document) for document in program.documents.values())


def copied(program: Program, number: int) -> Program:
    """The same program by other names."""
    text = json.dumps(program.documents)
    text = text.replace(f'"p{program.number}-', f'"p{number}-').replace(f'"e{program.number}.', f'"e{number}.')
    slug = program.slug.replace(f"p{program.number}-", f"p{number}-")
    return Program(number, slug, json.loads(text), program.input)


def _fewer(faults: Faults) -> Iterator[Faults]:
    """None at all, then one kind, then one kind that is only killed."""
    yield Faults((), False, {})
    for kind in EVERYTHING:
        for stops in (False, True):
            yield Faults((kind,), stops, {})
    yield replace(faults, servers={})
    yield replace(faults, kinds=())


def _smaller(program: Program) -> Iterator[Program]:
    """The same program with a node less, or with a field of a node less, as far as it is a program then."""
    for slug, document in program.documents.items():
        for change in _changes(document):
            if not [finding for finding in validate(change) if finding.severity == "error"]:
                yield replace(program, documents={**program.documents, slug: change})


def _changes(document: Document) -> Iterator[Document]:
    for place in range(len(list(_graphs(document)))):
        graph = list(_graphs(document))[place]
        for number, node in enumerate(graph["nodes"]):
            if len(graph["nodes"]) > 1:
                without = copy.deepcopy(document)
                inner = list(_graphs(without))[place]
                del inner["nodes"][number]
                inner["edges"] = [edge for edge in inner.get("edges", ()) if node["id"] not in (edge["from"], edge["to"])]
                yield without
            for name in ("retry", "timeout", "compensate"):
                if name in node:
                    without = copy.deepcopy(document)
                    del list(_graphs(without))[place]["nodes"][number][name]
                    yield without


def _graphs(graph: Any) -> Iterator[Any]:
    yield graph
    for node in graph["nodes"]:
        for _, inner in graphs_of(node):
            yield from _graphs(inner)
