"""A short hunt: random programs on a mesh whose processes are killed and stopped at random; each ends as the reference interpreter says.

Long ones are `python -m tests.faults.hunt`, which also takes the power from PostgreSQL and RabbitMQ. `WEFT_PROGRAMS_SEED` plays others,
`WEFT_PROGRAMS` more.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.programs.test_shadow_model import FACTOR, SEED
from tests.faults.hunt.hunting import Faults, hunt
from tests.faults.hunt.programs import program

PROGRAMS = 50
IN_FLIGHT = 40


@pytest.mark.timeout(420 + 90 * FACTOR)
async def test_random_programs_end_as_the_reference_says_though_processes_are_killed_and_stopped(
    database_url: str, broker_url: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    programs = [program(SEED, number) for number in range(1, 1 + int(PROGRAMS * FACTOR))]

    report = await hunt(
        programs, Faults(), seed=SEED, in_flight=IN_FLIGHT, database_url=database_url, broker_url=broker_url, directory=tmp_path
    )

    numbers = json.dumps(report.numbers())
    record_property("hunt", numbers)
    print(numbers)
    wrong = [f"program {one.number}, {id_}: {what}" for one, id_, what in report.wrong]
    assert (wrong, report.unsettled) == ([], []), f"python -m tests.faults.hunt --seed {SEED} --programs {len(programs)}"
    assert report.faults
