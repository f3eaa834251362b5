import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from weft_runtime.telemetry import bind_log, get_logger, setup_logging, span, trace_id


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "weft.log"
    setup_logging("INFO", path)
    yield path
    setup_logging("WARNING")


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_line_is_one_json_object_with_tenant_execution_and_trace(file: Path) -> None:
    with span("x"), bind_log(tenant="acme", execution="e1"):
        get_logger("tasks").info("task claimed", task="t1")
        expected = trace_id()
    get_logger("tasks").info("outside")
    first, second = lines(file)
    assert (first["event"], first["service"], first["level"], first["task"]) == ("task claimed", "tasks", "info", "t1")
    assert (first["tenant"], first["execution"], first["trace_id"]) == ("acme", "e1", expected)
    assert first["time"].endswith("Z")
    assert second.keys() & {"tenant", "trace_id"} == set()


def test_a_line_has_no_secrets_not_even_in_a_stack(file: Path) -> None:
    try:
        raise RuntimeError("could not sign in with weft_verysecretkey123")
    except RuntimeError as error:
        get_logger("x").error("failed", password="hunter2", headers={"authorization": "Bearer abcdefghijkl"}, exc_info=error)
    text = file.read_text()
    assert "RuntimeError" in text
    assert not any(secret in text for secret in ("hunter2", "verysecretkey", "abcdefghijkl"))


def test_what_is_no_text_is_written_without_secrets_too(file: Path) -> None:
    get_logger("x").error("failed", error=RuntimeError("weft_verysecretkey123"), kept=[{"e": ValueError("Bearer abcdefghijkl")}])
    text = file.read_text()
    assert "RuntimeError" in text and "ValueError" in text
    assert not any(secret in text for secret in ("verysecretkey", "abcdefghijkl"))


def test_lines_of_libraries_have_the_same_form(file: Path) -> None:
    with bind_log(tenant="acme"):
        logging.getLogger("somewhere").warning("odd: %s", "Bearer abcdefghijkl")
    (line,) = lines(file)
    assert (line["level"], line["logger"], line["tenant"], line["event"]) == (
        "warning",
        "somewhere",
        "acme",
        "odd: Bearer [redacted]".replace("Bearer ", ""),
    )


def test_what_is_below_the_level_is_not_written(file: Path) -> None:
    get_logger("x").debug("quiet")
    logging.getLogger("somewhere").debug("quiet")
    assert lines(file) == []
    assert structlog.is_configured()
