"""The message door: words heard are handled in one transaction with what they change and what is said about it."""

from weft_runtime.pipeline.handlers import Handlers, Heard, RawEvent
from weft_runtime.pipeline.outbox import Outbox
from weft_runtime.pipeline.pipeline import Pipeline

__all__ = ["Handlers", "Heard", "Outbox", "Pipeline", "RawEvent"]
