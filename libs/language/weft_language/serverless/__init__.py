"""Serverless Workflow (CNCF DSL 1.0), both ways: what has an equal is carried over, and what has none is named."""

from weft_language.serverless.notes import Carried
from weft_language.serverless.reading import is_serverless, read_serverless
from weft_language.serverless.writing import write_serverless

__all__ = ["Carried", "is_serverless", "read_serverless", "write_serverless"]
