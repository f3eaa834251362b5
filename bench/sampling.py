"""Where a process of the mesh spends its time: its stack is looked at now and then. `BENCH_SAMPLES=<folder> python -m bench --only remote3`
writes `<folder>/<process>.txt`: the share of samples of a busy loop in which a function was running or had called what did.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

EVERY_S = 0.002
SHOWN = 120
IDLE = frozenset({"select", "run_forever", "run_until_complete", "run", "_run_once"})


@contextmanager
def sampled(folder: str | None, name: str) -> Iterator[None]:
    """Sample this thread for the length of the block, where a folder is given."""
    if folder is None:
        yield
        return
    over, counts = threading.Event(), Counter[str]()
    sampler = threading.Thread(target=_look, args=(threading.get_ident(), over, counts), daemon=True)
    sampler.start()
    try:
        yield
    finally:
        over.set()
        sampler.join()
        whole = counts.pop("", 0) or 1
        lines = [f"{count / whole:7.2%}  {where}" for where, count in counts.most_common(SHOWN)]
        path = Path(folder) / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([f"{whole} samples", *lines]) + "\n")


def _look(thread: int, over: threading.Event, counts: Counter[str]) -> None:
    while not over.is_set():
        time.sleep(EVERY_S)
        frame: FrameType | None = sys._current_frames().get(thread)
        if frame is None or frame.f_code.co_name in IDLE:
            continue  # it waits
        met: set[str] = set()
        while frame is not None:
            code = frame.f_code
            met.add(f"{Path(code.co_filename).stem}.{code.co_name}")
            frame = frame.f_back
        counts.update(met)
        counts[""] += 1
