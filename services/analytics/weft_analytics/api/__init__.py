"""The HTTP door of analytics: executions listed, numbers, alerts, who did what, the log of rules."""

from weft_analytics.api import alerts, audit, comparing, costs, numbers, rules
from weft_analytics.api.routes import door

__all__ = ["alerts", "audit", "comparing", "costs", "door", "numbers", "rules"]
