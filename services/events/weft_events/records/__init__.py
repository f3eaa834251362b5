"""Changes of rows in databases of tenants: which are watched, what a change is as an event, and for which triggers it is. Pure."""

from weft_events.records.changes import Change, Taken, event_of, read_change
from weft_events.records.matching import by_table, consider
from weft_events.records.sources import Failure, Held, Key, Source, Watched, put_off
from weft_events.records.standing import CAPTURE, Bounds, Checked, Look, advice, behind, outdated
from weft_events.records.watching import TableEvents, written

__all__ = [
    "CAPTURE",
    "Bounds",
    "Change",
    "Checked",
    "Failure",
    "Held",
    "Key",
    "Look",
    "Source",
    "TableEvents",
    "Taken",
    "Watched",
    "advice",
    "behind",
    "by_table",
    "consider",
    "event_of",
    "outdated",
    "put_off",
    "read_change",
    "written",
]
