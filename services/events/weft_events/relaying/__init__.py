"""The loop that reads the outboxes of sources into our log, in every process of the service.

Each source has one reader among all processes: who has the lease, which an epoch fences. A reader that is late, or dead and back again,
can do no harm: what it would write is written once, and what it deletes is in the log.
"""

from weft_events.relaying.metrics import RecordMetrics
from weft_events.relaying.reader import Reader
from weft_events.relaying.relay import Relay
from weft_events.relaying.standings import RecordStandings, bounds_of

__all__ = ["Reader", "RecordMetrics", "RecordStandings", "Relay", "bounds_of"]
