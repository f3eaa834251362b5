"""The HTTP door of events."""

from weft_runtime.http import Door

from weft_events.api import events, hooks, mails, schedules, sources, watching

door = Door("events").include(events.door, hooks.door, mails.door, schedules.door, sources.door, watching.door)
