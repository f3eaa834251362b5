"""What is counted of sources and their changes."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class RecordMetrics:
    """What is counted of changes of rows."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.taken = Counter("weft_record_taken", "Changes of rows that were taken into the log.", registry=registry)
        self.again = Counter("weft_record_again", "Changes that came once more, and changed nothing.", registry=registry)
        self.passed_over = Counter("weft_record_passed_over", "Changes that the settings of their table pass over.", registry=registry)
        self.refused = Counter("weft_record_refused", "Changes that could not be taken in and were set aside.", registry=registry)
        self.failed = Counter("weft_record_source_failed", "Times that a source could not be read.", ("code",), registry=registry)
        self.reading = Gauge("weft_record_sources", "Sources that this process reads.", registry=registry)
        self.late = Histogram(
            "weft_record_late_seconds",
            "How long after it was made a change was in the log.",
            registry=registry,
            buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600, 86_400),
        )
