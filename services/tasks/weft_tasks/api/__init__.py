"""The HTTP door of tasks: what waits for people, and when they work."""

from weft_tasks.api import bulk, calendars, decisions, delegations, user_tasks
from weft_tasks.api.routes import door

__all__ = ["bulk", "calendars", "decisions", "delegations", "door", "user_tasks"]
