"""What the engine counts."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

ITEMS = Counter("weft_engine_items_total", "Items applied to executions")
TRANSITIONS = Counter("weft_engine_transitions_total", "Journal rows written")
PARKED = Counter("weft_engine_parked_total", "Messages that no execution could be given")
OWNED = Gauge("weft_engine_partitions_owned", "Partitions this process owns")
BATCH_ITEMS = Histogram("weft_engine_batch_items", "Items in a batch", buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000))
ACTIVITIES = Counter("weft_worker_activities_total", "Activities a worker has run", ["outcome"])
ACTIVITY_SECONDS = Histogram(
    "weft_worker_activity_seconds",
    "How long attempts at an activity took",
    ["activity", "outcome"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800),
)
REPEATS = Counter(
    "weft_worker_repeats_total",
    "Attempts under a key that was begun before: a service that does not know it again may have done the same twice",
    ["activity", "why"],
)
WAITING_ITEMS = Gauge("weft_engine_waiting_items", "Items read and waiting for their turn, in the lane that had the last turn")
WORKER_WAITING = Gauge("weft_worker_waiting_items", "Activities taken and waiting for a free place", ["pool"])
WORKER_TENANTS = Gauge("weft_worker_waiting_tenants", "Tenants whose activities wait for a free place", ["pool"])


def activity_ended(activity: str, outcome: str, took_s: float) -> None:
    """Count an attempt at an activity. outcome: `completed` or `failed`."""
    ACTIVITIES.labels(outcome).inc()
    ACTIVITY_SECONDS.labels(activity, outcome).observe(took_s)


def activity_began(activity: str, attempt: int, *, redelivered: bool) -> None:
    """Count an attempt that its key is not new with. redelivered: the broker gave it out before, to a worker that never answered."""
    if redelivered or attempt > 1:
        REPEATS.labels(activity, "redelivered" if redelivered else "retried").inc()
