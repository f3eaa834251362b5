"""How an execution can move: the document as one graph of moments, with what has run when each is reached.

A moment is the entry of a node, one of its outcomes, the reading of a loop's condition, or the completion or failure of a scope. Of each
is known which nodes have ended on every way to it, which on some way, and which of those may have failed; sets are bits over `Ways.index`.
The time this takes is bounded by nodes times ways; nothing here tries out states.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from weft_language.validation.flow.moments import ROOT_DONE, Moment, condition_of, done_of, entry_of, fail_of, outcome_of
from weft_language.validation.flow.ways import NO_DECISIONS, Ways, ids_inside, ids_of_frame, needed_branches
from weft_language.validation.outline import Outline

__all__ = [
    "ROOT_DONE",
    "Flow",
    "Moment",
    "condition_of",
    "done_of",
    "entry_of",
    "fail_of",
    "ids_inside",
    "ids_of_frame",
    "needed_branches",
    "outcome_of",
]


class Past(NamedTuple):
    """What has run at a moment. must: on every way.  may: on some way.  good, failed: how the newest visit may have ended."""

    must: int
    may: int
    good: int
    failed: int


class Flow(Ways):
    """The moments of a document, the ways between them, and what has run at each."""

    def __init__(self, document: Outline, decisions: Mapping[str, bool] = NO_DECISIONS) -> None:
        """Build the ways and find what has run when. decisions: as in `Ways`."""
        super().__init__(document, decisions)
        self._past: dict[Moment, Past] = {}
        self._spread()

    def reached(self, moment: Moment) -> bool:
        """Whether some way leads to a moment."""
        return moment in self._past

    def has_run(self, moment: Moment, node_ids: Iterable[str]) -> str:
        """`always`, `sometimes` or `never`: whether one of these nodes has ended when the moment is reached."""
        bits, past = self.bits(node_ids), self._after(moment)
        if past.must & bits:
            return "always"
        return "sometimes" if past.may & bits else "never"

    def may_have_ended(self, moment: Moment, node_id: str) -> tuple[bool, bool]:
        """Whether the newest visit of a node may have ended well, and whether with `error`, when the moment is reached."""
        bit, past = self.bits([node_id]), self._after(moment)
        return bool(past.good & bit), bool(past.failed & bit)

    def _after(self, moment: Moment) -> Past:
        """What has run at a moment, the node that ends there counted."""
        past = self._past.get(moment)
        if past is None:
            return Past(-1, -1, -1, -1)
        bit = self.ends.get(moment, 0)
        if not bit:
            return past
        if moment[2] == "error":
            return Past(past.must | bit, past.may | bit, past.good & ~bit, past.failed | bit)
        return Past(past.must | bit, past.may | bit, past.good | bit, past.failed & ~bit)

    def _spread(self) -> None:
        """Find what has run at every moment that can be reached, to a fix-point: `must` only shrinks, the others only grow."""
        arrived: dict[Moment, list[Moment]] = {moment: [] for moment in self.needs}
        self._past[self.start] = Past(0, 0, 0, 0)
        waiting = deque([self.start])
        queued = {self.start}
        while waiting:
            moment = waiting.popleft()
            queued.discard(moment)
            after = self._after(moment)
            for target in self.ways.get(moment, ()):
                brought = self._brought(moment, target, after)
                if target in arrived:
                    known = self._joined(target, moment, arrived[target], brought)
                else:
                    known = _merged(self._past.get(target), brought)
                if known is not None and known != self._past.get(target):
                    self._past[target] = known
                    if target not in queued:
                        queued.add(target)
                        waiting.append(target)

    def _brought(self, moment: Moment, target: Moment, after: Past) -> Past:
        forgotten = ~self.fresh.get((moment, target), 0)
        must, may, good, failed = (bits & forgotten for bits in after)
        added = self.adds.get(target, 0)
        return Past(must, may | added, good | added, failed | added)

    def _joined(self, target: Moment, moment: Moment, arrived: list[Moment], brought: Past) -> Past | None:
        """What has run at a join: once enough branches reach it; where all of them must, what ran in any has run."""
        if moment not in arrived:
            arrived.append(moment)
        if len(arrived) < self.needs[target]:
            return None
        every_one = self.needs[target] == len(arrived)
        must, may, good, failed = -1 if not every_one else 0, 0, 0, 0
        for source in arrived:
            past = self._after(source)
            # Where every branch must complete, each knows best about itself, whatever it may have seen of the others.
            own = ~self.beside.get(source, 0) if every_one else -1
            must = must | past.must if every_one else must & past.must
            may, good, failed = may | past.may & own, good | past.good & own, failed | past.failed & own
        return Past(must, may, good, failed)


def _merged(known: Past | None, brought: Past) -> Past:
    if known is None:
        return brought
    return Past(known.must & brought.must, known.may | brought.may, known.good | brought.good, known.failed | brought.failed)
