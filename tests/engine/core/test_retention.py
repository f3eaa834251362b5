"""How long an execution is kept after its end: as its workflow says, else as its tenant, else for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from weft_engine.core.retention import MAX_KEPT_DAYS, kept_days, kept_until

from tests.engine.core.conftest import START


def tenant(days: Any) -> dict[str, Any]:
    return {"id": "acme", "settings": {"retention": {"executions_days": days}}}


def test_a_workflow_goes_before_its_tenant() -> None:
    assert (kept_days(tenant(30), 7), kept_days(tenant(30), None)) == (7, 30)


@pytest.mark.parametrize("days", [0, -1, True, "30", 1.5, None, MAX_KEPT_DAYS + 1])
def test_what_is_no_number_of_days_keeps_for_ever(days: Any) -> None:
    assert kept_days(tenant(days), None) is None


@pytest.mark.parametrize("settings", [None, {}, {"retention": None}, {"retention": 30}])
def test_a_tenant_that_says_nothing_keeps_for_ever(settings: Any) -> None:
    assert kept_days({"id": "acme", "settings": settings}, None) is None


def test_the_time_runs_from_the_end() -> None:
    assert kept_until(START, 30) == START + timedelta(days=30)


def test_what_has_not_ended_or_is_kept_for_ever_has_no_last_moment() -> None:
    assert (kept_until(None, 30), kept_until(START, None)) == (None, None)
