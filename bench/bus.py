"""How fast the bus is: `python bench/bus.py <broker url>`; without an address, the bus inside this process.

Prints, for each way to read: one frame's way from publish to take (p50, p99), frames a second when they are sent in batches, and the CPU
of this process, which sends and reads, per frame. Frames are 2 KB on a quorum queue, persistent and confirmed.
"""

import asyncio
import sys
import time
from uuid import uuid4

from weft_contracts import routing
from weft_runtime.bus import Binding, Bus, OutFrame, QueueSpec, Topology, open_bus

ROUND_TRIPS = 300
FRAMES = 20_000
BATCH = 50
BODY = b"x" * 2000


async def measure(bus: Bus, way: str) -> tuple[float, float, float, float]:
    """p50 and p99 in ms, frames a second, CPU µs a frame."""
    queue = f"bench.{uuid4().hex[:8]}"
    await bus.declare(Topology((QueueSpec(queue, (Binding(routing.COMMANDS, queue),), single=True),)))
    reader = await getattr(bus, way)(queue, prefetch=500)
    frame = OutFrame(routing.COMMANDS, queue, BODY)
    trips = []
    for _ in range(ROUND_TRIPS):
        began = time.perf_counter()
        sending = asyncio.create_task(bus.publish([frame]))
        taken = await reader.take()
        trips.append((time.perf_counter() - began) * 1000)
        await reader.ack_through(taken[-1])
        await sending
    trips.sort()

    async def send() -> None:
        for _ in range(FRAMES // BATCH):
            await bus.publish([frame] * BATCH)

    began, cpu, heard = time.perf_counter(), time.process_time(), 0
    sending = asyncio.create_task(send())
    while heard < FRAMES:
        taken = await reader.take()
        heard += len(taken)
        await reader.ack_through(taken[-1])
    took, used = time.perf_counter() - began, time.process_time() - cpu
    await sending
    await reader.close()
    return trips[len(trips) // 2], trips[len(trips) * 99 // 100], FRAMES / took, used / FRAMES * 1e6


async def main(url: str) -> None:
    bus = open_bus(url, name="bench")
    await bus.start()
    print(f"{'reading by':<12}{'p50 ms':>8}{'p99 ms':>8}{'frames/s':>10}{'CPU µs':>8}")
    for way in ("consume", "subscribe"):
        p50, p99, rate, cpu = await measure(bus, way)
        print(f"{way:<12}{p50:>8.2f}{p99:>8.2f}{rate:>10.0f}{cpu:>8.0f}")
    await bus.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "inprocess://bench"))
