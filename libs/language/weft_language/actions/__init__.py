"""Actions by type, of connectors and of services: what each takes, gives and fails with. One folder each; `docs/connectors.md` tells how to
add one.

What runs them stands in `weft_connectors`, found by entry point; nothing of it is known here.
"""

from typing import Final

from weft_language.actions import ai, email, http, notification, slack
from weft_language.actions.action import CONNECTION_ERRORS, Action, Category, Error, Fault, Takes, calling_errors

CONNECTORS: Final = (
    ai,
    email,
    http,
    slack,
)
"""Whoever adds a connector adds its name here and to the import above."""

SERVICES: Final = (notification,)
"""Actions that one of Weft's own services does."""

ACTIONS: Final[dict[str, Action]] = {action.type: action for module in (*CONNECTORS, *SERVICES) for action in module.ACTIONS}

__all__ = ["ACTIONS", "CONNECTION_ERRORS", "CONNECTORS", "SERVICES", "Action", "Category", "Error", "Fault", "Takes", "calling_errors"]
