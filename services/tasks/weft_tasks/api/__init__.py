"""The HTTP door of tasks: what waits for people, and when they work."""

from weft_tasks.api import bulk, calendars, decisions, delegations, notifications, unsubscribing, user_tasks
from weft_tasks.api.routes import door

__all__ = ["bulk", "calendars", "decisions", "delegations", "door", "notifications", "unsubscribing", "user_tasks"]
