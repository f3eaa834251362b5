"""The HTTP door of events."""

from weft_runtime.http import Door

from weft_events.api import events, schedules

door = Door("events").include(events.door, schedules.door)
