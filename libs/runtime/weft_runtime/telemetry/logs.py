"""Log lines: one JSON object each, with tenant, execution and trace id where they are known, and no secrets."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import orjson
import structlog
from structlog.typing import FilteringBoundLogger

from weft_runtime.telemetry.redaction import redact, redact_text
from weft_runtime.telemetry.tracing import trace_id

_NOISY = {
    # What these tell of a lost broker, with stacks and at length, the bus tells in one line.
    "aio_pika": logging.CRITICAL,
    "aiormq": logging.CRITICAL,
    "asyncio": logging.WARNING,
    # It tells of each request, address and query and all.
    "httpx2": logging.WARNING,
    "uvicorn": logging.WARNING,
    "alembic": logging.WARNING,
}


def get_logger(service: str) -> FilteringBoundLogger:
    """A logger whose lines name the service."""
    return cast(FilteringBoundLogger, structlog.get_logger(service=service))


@contextmanager
def bind_log(**fields: Any) -> Iterator[None]:
    """Within the block every line has these fields too: `tenant`, `execution`, …"""
    with structlog.contextvars.bound_contextvars(**fields):
        yield


def setup_logging(level: str = "INFO", file: Path | None = None) -> None:
    """Make every logger of the process, libraries' too, write JSON lines.

    level: `DEBUG`, `INFO`, …  file: appended to; standard error when None. Calling it again replaces the former set-up.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _add_trace,
        structlog.processors.format_exc_info,
        _redacted,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_to_json)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=_Lines(file),
        cache_logger_on_first_use=False,
    )
    handler: logging.Handler = logging.FileHandler(file) if file else logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_to_json),
            ],
        )
    )
    root = logging.getLogger()
    for old in list(root.handlers):
        if getattr(old, "_weft", False):
            root.removeHandler(old)
            old.close()
    handler._weft = True  # type: ignore[attr-defined]
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name, least in _NOISY.items():
        logging.getLogger(name).setLevel(least)


class _Lines:
    """Makes structlog's loggers write to the file, or to whatever standard error is at the time."""

    def __init__(self, file: Path | None) -> None:
        self._file = file.open("a", encoding="utf-8", buffering=1) if file else None

    def __call__(self, *args: Any) -> Any:
        return structlog.PrintLogger(self._file or sys.stderr)


def _to_json(value: Any, **_: Any) -> str:
    return orjson.dumps(value, default=_as_text, option=orjson.OPT_NON_STR_KEYS).decode()


def _as_text(value: Any) -> str:
    # Whatever is no text becomes one only here, behind the redaction: an error handed over as it is says the same as its text.
    return redact_text(repr(value))


def _add_trace(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if "trace_id" not in event and (current := trace_id()):
        event["trace_id"] = current
    return event


def _redacted(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    kept = {name: value for name, value in event.items() if name.startswith("_")}
    shown = cast(dict[str, Any], redact({name: value for name, value in event.items() if name not in kept}))
    return {**shown, **kept}
