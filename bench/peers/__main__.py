"""`make bench-peers`: Weft and its peers in turn, round by round; prints one table of medians and writes bench/peers/results.json.

The machine's speed drifts, so no system runs all its rounds at once, and each round begins with another system.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.peers.measuring import Row, measured, medians, tried
from bench.peers.peer import WORKLOADS
from bench.peers.running import OURSELVES, environment_folder

RESULTS = Path(__file__).with_name("results.json")
PEERS = ("dbos", "restate", "pgqueuer", "celery", "prefect")
Rows = dict[tuple[str, str], list[Row]]


def table(rows: Rows, missing: dict[tuple[str, str], str]) -> str:
    """The medians, workload by workload, the most executions first; then what is missing and why."""
    head = f"{'workload':<18}{'system':<10}{'open':>6}{'executions/s':>14}{'p50 ms':>10}{'p99 ms':>10}"
    head += f"{'CPU ms each':>13}{'driver ms':>11}{'peak MiB':>10}"
    lines = [head]
    for workload in WORKLOADS:
        found = [(system, medians(rounds)) for (system, done), rounds in rows.items() if done == workload]
        for system, row in sorted(found, key=lambda pair: -pair[1]["executions_per_s"]):
            lines.append(
                f"{workload:<18}{system:<10}{row['open']:>6.0f}{row['executions_per_s']:>14.1f}{row['p50_ms']:>10.1f}{row['p99_ms']:>10.1f}"
                f"{row['cpu_ms_per_execution']:>13.2f}{row['driver_ms_per_execution']:>11.2f}{row['peak_mib']:>10.0f}"
            )
    lines += [f"not measured: {workload} on {system}: {why}" for (system, workload), why in missing.items()]
    return "\n".join(lines)


def written(rows: Rows, missing: dict[tuple[str, str], str], rounds: int, seconds: float) -> dict[str, Any]:
    """What results.json holds: medians and each round by system and workload, and what is missing."""
    systems: dict[str, dict[str, Any]] = {}
    for (system, workload), found in rows.items():
        systems.setdefault(system, {})[workload] = {**medians(found), "rounds": [asdict(row) for row in found]}
    for (system, workload), why in missing.items():
        systems.setdefault(system, {}).setdefault("not_measured", {})[workload] = why
    return {"rounds": rounds, "seconds": seconds, "systems": systems}


def settings_table(name: str, rows: dict[tuple[str, int], Row]) -> str:
    """What a system did with each number of executions open; the most executions are marked."""
    best = {workload: max(row.executions_per_s for (done, _), row in rows.items() if done == workload) for workload, _ in rows}
    return "\n".join(
        f"{name:<10}{workload:<14}{open_:>6} open{row.executions_per_s:>12.1f}/s{row.p50_ms:>10.1f} ms"
        f"{row.cpu_ms_per_execution:>10.2f} ms CPU{'  most' if row.executions_per_s == best[workload] else ''}"
        for (workload, open_), row in rows.items()
    )


def main() -> None:
    asked = argparse.ArgumentParser(prog="bench.peers", description=__doc__)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--seconds", type=float, default=10.0, help="how long each workload lasts in each round")
    asked.add_argument("--peers", default=",".join(PEERS), help="who runs beside Weft, by commas")
    asked.add_argument("--only", action="append", choices=sorted(WORKLOADS), help="one workload; may be repeated")
    asked.add_argument("--settings", action="store_true", help="try how many executions are best kept open, and write no results")
    asked.add_argument("--without-weft", action="store_true", help="the peers alone")
    asked.add_argument("--data-dir", type=Path, default=Path(".weft-bench/peers"))
    asked.add_argument("--results", type=Path, default=RESULTS)
    given = asked.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended then too
    names = [*([] if given.without_weft else [OURSELVES]), *filter(None, given.peers.split(","))]
    for name in names:
        environment_folder(name, given.data_dir)
    if given.settings:
        for name in names:
            print(settings_table(name, tried(name, given.data_dir, given.seconds, given.only or list(WORKLOADS))), flush=True)
        return
    rows: Rows = {}
    missing: dict[tuple[str, str], str] = {}
    for number in range(given.rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            began = time.monotonic()
            found, lacking = measured(name, given.data_dir, given.seconds, given.only or list(WORKLOADS))
            for workload, row in found.items():
                rows.setdefault((name, workload), []).append(row)
            missing |= {(name, workload): why for workload, why in lacking.items()}
            print(f"round {number + 1} {name}: {time.monotonic() - began:.0f} s", flush=True)
            given.results.write_text(json.dumps(written(rows, missing, number + 1, given.seconds), indent=2) + "\n")
    print(table(rows, missing))


if __name__ == "__main__":
    main()
