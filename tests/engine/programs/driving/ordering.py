"""Domain events that start executions: what their trigger makes of them, in the shadow and in the events service, must be the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from weft_contracts.cloudevents import CloudEvent
from weft_engine.core import items as i
from weft_events.domain import Matching, Received, TriggerIndex, candidates, consider

from tests.engine.programs.driving.parts import Mail, Pair
from tests.engine.programs.generating.maker import Document
from tests.engine.programs.generating.scenarios import MAIN, ORDER
from tests.engine.programs.shadow.keys import SKIPPED
from tests.engine.programs.shadow.triggers import started
from tests.engine.programs.times import moment

if TYPE_CHECKING:
    from tests.engine.programs.driving.world import World


def order(world: World, number: int, payload: Document) -> Mail | None:
    """An order is placed; it may come more than once. Returns: the start that comes of it, on its way, where one does."""
    document = world.scenario.programs[MAIN]
    at = moment(world.now)
    event = CloudEvent(id=f"order{number}", source="/shop", type=ORDER, time=at, data=payload)
    matching = Matching(TriggerIndex(candidates(MAIN, 1, document["triggers"])))
    found = [one.start for one in consider(Received(UUID(int=number), "acme", event, at), matching) if one.start is not None]
    expected = started(document["triggers"], ORDER, "/shop", payload)
    assert [(one.key, one.input) for one in found] == expected, f"the order {payload} should start {expected}, got {found}"
    if not found:
        return None
    item = i.decode("execution.start", msgspec.json.encode(found[0].model_dump(mode="json")))
    key, input_ = expected[0]
    mail = world.starting(found[0].execution_id, MAIN, input_)

    def tell(pair: Pair) -> Any:
        if pair.shadow.status != "new":
            return None
        if not world.keys.take(MAIN, key, pair.id):
            pair.shadow.refuse()
            return SKIPPED
        return pair.shadow.start(input_, world.now)

    return Mail(mail.to, f"starts by order {payload}", tell, item)
