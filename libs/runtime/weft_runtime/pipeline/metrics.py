"""What the message door counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_ITEMS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


class MessageMetrics:
    """The counters of one service's message door."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.items = Counter(
            "weft_messages", "Items taken, by what became of them: handled, seen, retrying, parked.", ["outcome"], registry=registry
        )
        self.parked = Counter("weft_messages_parked", "Items parked, by the code of the reason.", ["code"], registry=registry)
        self.batch_items = Histogram("weft_message_batch_items", "Items in one transaction.", buckets=_ITEMS, registry=registry)
        self.batch_seconds = Histogram("weft_message_batch_seconds", "One transaction.", buckets=_SECONDS, registry=registry)
        self.said = Counter("weft_outbox_published", "Items of the outbox the broker confirmed.", registry=registry)
        self.unheard = Counter("weft_outbox_unheard", "Events dropped because no queue was bound for them for a minute.", registry=registry)
        self.backlog = Gauge("weft_outbox_rows", "Items in the outbox.", registry=registry)
        self.oldest = Gauge("weft_outbox_oldest_seconds", "Age of the oldest item in the outbox.", registry=registry)
        self.waiting = Gauge("weft_parked_rows", "Messages that could not be handled.", ["status"], registry=registry)
