"""The HTTP door of tasks: what waits for people, and when they work."""

from weft_tasks.api import calendars, user_tasks
from weft_tasks.api.routes import door

__all__ = ["calendars", "door", "user_tasks"]
