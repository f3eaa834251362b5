"""The document model of `weft/v1`: frozen, strict, JSON in and out.

Fields that an author left out stay unset, so a document comes out as it went in.
"""

from weft_language.model.definition import (
    FORMAT,
    MAX_NODES,
    RESERVED_SLUGS,
    Concurrency,
    Definition,
    Settings,
    Sla,
    slug_of,
    to_document,
)
from weft_language.model.durations import InvalidDuration, InvalidTime, parse_duration, parse_time
from weft_language.model.edge import Edge
from weft_language.model.node import Compensation, Enhancement, Node, Position, Retry
from weft_language.model.triggers import AnyTrigger, EventTrigger, ManualTrigger, ScheduleTrigger, timetable_of
from weft_language.model.work_action import QUEUE_NAME_HINT, is_queue_name

__all__ = [
    "FORMAT",
    "MAX_NODES",
    "QUEUE_NAME_HINT",
    "RESERVED_SLUGS",
    "AnyTrigger",
    "Compensation",
    "Concurrency",
    "Definition",
    "Edge",
    "Enhancement",
    "EventTrigger",
    "InvalidDuration",
    "InvalidTime",
    "ManualTrigger",
    "Node",
    "Position",
    "Retry",
    "ScheduleTrigger",
    "Settings",
    "Sla",
    "is_queue_name",
    "parse_duration",
    "parse_time",
    "slug_of",
    "timetable_of",
    "to_document",
]
