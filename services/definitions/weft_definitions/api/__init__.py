"""The HTTP door of definitions: workflows, their files and pictures, and templates."""

from weft_definitions.api import exchange, templates, workflows
from weft_definitions.api.routes import door

__all__ = ["door", "exchange", "templates", "workflows"]
