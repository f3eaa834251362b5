"""One execution in the core alone, whose transitions yield early and go on late: in between, whatever is open may be answered."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid5

from weft_engine.core import items as i
from weft_language import compile_definition, parse

from tests.engine.programs.driving.cored import Cored, Seen
from tests.engine.programs.driving.working import done_by_worker
from tests.engine.programs.generating.maker import Document
from tests.engine.programs.meshed.predicting import Prediction
from tests.engine.programs.times import START

STEPS = 3_000
MILLISECOND = timedelta(milliseconds=1)


def lag(id_: UUID, document: Document, input_: Document, choose: Callable[[int], int]) -> Prediction:
    """How it ends when each thing that happens is chosen of all that could. Raises: AssertionError when it never ends."""
    cored = Cored(id_, compile_definition(parse(document), 1), restart=False)
    seen = [cored.give_once(i.Start(id_, document["slug"], input=input_, trigger={"type": "manual"}), 0)]
    now = 0
    for _ in range(STEPS):
        state = cored.state
        if state.ended:
            return _told(cored, seen)
        working = [pending for pending in state.pending.values() if pending.kind == "activity"]
        chosen = choose(len(working) + bool(state.ready)) if working or state.ready else None
        if chosen is not None and chosen < len(working):
            pending = working[chosen]
            item, _ = done_by_worker(id_, pending.data["name"], pending.node, pending.visit, pending.attempt)
        else:
            item = i.Tick(id_)
            if chosen is None:
                assert state.wake_at is not None, f"nothing will ever happen to it any more: {state.pending}"
                now = max(now, -(-(state.wake_at - START) // MILLISECOND))
        seen.append(cored.give_once(item, now))
    raise AssertionError("it goes on for ever")


def _told(cored: Cored, seen: list[Seen]) -> Prediction:
    state = cored.state
    says = [said for one in seen for said in one.says]
    outcome = [state.status, state.output, state.error and state.error["code"]]
    visits = Counter(node for one in seen for _, node, _ in one.visits)
    return Prediction(
        json.dumps(outcome, sort_keys=True),
        frozenset(f"{cored.id}:{said[1]}:{said[2]}" for said in says if said[0] == "activity"),
        tuple(sorted(visits.items())),
        frozenset(str(uuid5(cored.id, f"event:{said[1]}:{said[2]}")) for said in says if said[0] == "publish"),
    )
