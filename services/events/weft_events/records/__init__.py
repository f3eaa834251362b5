"""Changes of rows in databases of tenants: which are watched, what a change is as an event, and for which triggers it is. Pure."""

from weft_events.records.changes import Change, Taken, event_of, read_change
from weft_events.records.matching import by_table, consider
from weft_events.records.sources import Failure, Held, Key, Source, Watched, put_off
from weft_events.records.watching import TableEvents, written

__all__ = [
    "Change",
    "Failure",
    "Held",
    "Key",
    "Source",
    "TableEvents",
    "Taken",
    "Watched",
    "by_table",
    "consider",
    "event_of",
    "put_off",
    "read_change",
    "written",
]
