"""`python -m tests.faults.hunt --programs 300 --seed 7`: random programs on a real mesh under fault; docs/development.md tells how.

A program that comes to another end than the reference interpreter says is shown with its seed and number; then it is run alone, many
times over, and shrunk. Exits with 1 where anything is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.engine.programs.generating.scenarios import shown
from tests.faults.hunt.hunting import EVERYTHING, Faults, Report, hunt
from tests.faults.hunt.killing import Server
from tests.faults.hunt.programs import Program, program
from tests.faults.hunt.shrinking import Attempt, shrunk
from tests.support.faults import private_postgres, private_rabbitmq
from tests.support.isolation import SharedStack

A_MESH = 150
"""Programs that one mesh is given; then there is another."""


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.hunt", description=__doc__)
    parser.add_argument("--programs", type=int, default=300, help="how many (300)")
    parser.add_argument("--seed", type=int, default=None, help="of programs and faults; one at random when left out")
    parser.add_argument("--first", type=int, default=1, help="number of the first program (1)")
    parser.add_argument("--in-flight", type=int, default=120, help="programs open at once (120)")
    parser.add_argument("--kinds", default=",".join(EVERYTHING), help="of processes that are killed; none where empty")
    parser.add_argument("--no-servers", action="store_true", help="leave PostgreSQL and RabbitMQ alone")
    parser.add_argument("--no-stops", action="store_true", help="kill only, stop no process past its lease")
    parser.add_argument("--minutes", type=float, default=30.0, help="no further mesh is started after so long (30)")
    parser.add_argument("--shrink-minutes", type=float, default=5.0, help="spent on each program that failed (5); 0 for none")
    return parser.parse_args()


async def run(asked: argparse.Namespace, seed: int, directory: Path) -> bool:
    """All of it. Returns: whether nothing was wrong."""
    with ExitStack() as ending:
        postgres = ending.enter_context(private_postgres(directory / "postgres"))
        rabbitmq = ending.enter_context(private_rabbitmq(directory / "rabbitmq"))
        grounds = SharedStack(postgres.url, rabbitmq)
        servers: dict[str, Server] = {} if asked.no_servers else {"postgresql": postgres, "rabbitmq": rabbitmq}
        faults = Faults(tuple(filter(None, asked.kinds.split(","))), not asked.no_stops, servers)
        meshes = 0

        async def attempt(programs: Sequence[Program], under: Faults) -> Report:
            nonlocal meshes
            meshes += 1
            logs = directory / f"mesh{meshes}"
            logs.mkdir()
            database, vhost = grounds.new_database(), grounds.new_vhost()
            try:
                return await hunt(
                    programs, under, seed=seed + meshes, in_flight=asked.in_flight, database_url=database, broker_url=vhost, directory=logs
                )
            finally:
                grounds.drop_database(database)

        began, clean, total = time.monotonic(), True, Counter[str]()
        for first in range(asked.first, asked.first + asked.programs, A_MESH):
            if time.monotonic() - began > 60 * asked.minutes:
                print(f"the time is over before program {first}")
                break
            last = min(first + A_MESH, asked.first + asked.programs)
            report = await attempt([program(seed, number) for number in range(first, last)], faults)
            print(json.dumps({"seed": seed, "first": first, **report.numbers()}), flush=True)
            total += Counter(report.faults)
            clean = clean and report.clean
            await _tell(report, seed, faults, attempt, 60 * asked.shrink_minutes)
        print(f"faults in all: {dict(total)}; logs: {directory}")
        return clean


async def _tell(report: Report, seed: int, faults: Faults, attempt: Attempt, within_s: float) -> None:
    """Show what was wrong, and what is left of each such program once it is shrunk."""
    for what in report.unsettled:
        print(f"unsettled: {what}")
    for number in dict.fromkeys(one.number for one, _, _ in report.wrong):
        one, _, _ = next(found for found in report.wrong if found[0].number == number)
        print(f"\nseed {seed}, program {number} (--seed {seed} --first {number} --programs 1):")
        print("".join(shown(document) for document in one.documents.values()), f"input: {json.dumps(one.input)}")
        for _, id_, what in (found for found in report.wrong if found[0].number == number):
            print(f"  {id_}: {what}")
        if within_s:
            print(f"shrunk: {await shrunk(one, faults, attempt, within_s=within_s)}", flush=True)


def main() -> int:
    """Returns: what to exit with."""
    asked = arguments()
    seed = secrets.randbelow(1 << 32) if asked.seed is None else asked.seed
    directory = Path(tempfile.mkdtemp(prefix="weft-hunt-"))
    return 0 if asyncio.run(run(asked, seed, directory)) else 1


if __name__ == "__main__":
    sys.exit(main())
