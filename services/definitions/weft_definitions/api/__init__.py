"""The HTTP door of definitions: workflows, their files and pictures, templates, rules and backtests."""

from weft_definitions.api import backtests, exchange, rules, templates, workflows
from weft_definitions.api.routes import door

__all__ = ["backtests", "door", "exchange", "rules", "templates", "workflows"]
