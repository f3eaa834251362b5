"""A worker: takes activities from its pool's queue, runs them concurrently, answers in frames. It holds no transaction and no state.

A request is acked when its answer is confirmed by the broker: what a killed worker had in hand comes again to another.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from opentelemetry.trace import SpanKind
from weft_connectors.activity import Activities, ActivityCall, ActivityError, Done
from weft_contracts import routing
from weft_contracts.envelope import Item
from weft_contracts.frames import FrameError, decode_frame
from weft_language.compilation import DEFAULT_PRIORITY
from weft_runtime.bus import Bus, BusClosed, Consumer, Delivery
from weft_runtime.bus.topology import pool
from weft_runtime.clock import Clock
from weft_runtime.fairness import FairLine
from weft_runtime.telemetry import current_traceparent, span

from weft_engine.answering import Answering, Answers, answer_item
from weft_engine.hotloop.metrics import WORKER_TENANTS, WORKER_WAITING, activity_began, activity_ended
from weft_engine.requests import Request, RequestError, read_request

PREFETCH_FRAMES: Final = 256
LOOK_AHEAD: Final = 10_000
"""Activities that may wait here for a free place, for the fairest to be chosen; beyond that nothing more is taken."""
SIGN_OF_LIFE_S: Final = 1.0
"""Between two looks at which running activities owe the engine a heartbeat."""

log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class Running:
    """An activity in hand. began: when.  sign_at: when the engine should next hear of it.  accepted: whether it has heard."""

    request: Request
    item: Item
    answering: Answering
    began: datetime
    sign_at: datetime
    accepted: bool = False


class Worker:
    """Runs the activities of one pool. concurrency: how many at once; further ones wait in the queue."""

    def __init__(self, bus: Bus, activities: Activities, clock: Clock, *, pool_name: str = "default", concurrency: int = 200) -> None:
        self._bus = bus
        self._activities = activities
        self._clock = clock
        self._pool = pool_name
        self._free = concurrency
        self._waiting: FairLine[tuple[Request, Item, Answering]] = FairLine()
        self._room = asyncio.Event()
        WORKER_WAITING.labels(pool_name).set_function(lambda: len(self._waiting))
        WORKER_TENANTS.labels(pool_name).set_function(lambda: self._waiting.tenants)
        self._tasks: dict[asyncio.Task[Any], Running] = {}
        self._answers = Answers(bus)

    async def run(self) -> None:
        """Work until cancelled; what is in hand then goes back to the queue."""
        await self._bus.declare(pool(self._pool))
        consumer = await self._bus.consume(routing.work_queue(self._pool), prefetch=PREFETCH_FRAMES)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._take(consumer))
                group.create_task(self._answers.run())
                group.create_task(self._live())
        finally:
            for task in self._tasks:
                task.cancel()
            await consumer.close()

    async def _take(self, consumer: Consumer) -> None:
        while True:
            try:
                deliveries = await consumer.take()
            except BusClosed:
                return
            for delivery in deliveries:
                await self._line_up(consumer, delivery)
            self._begin()
            while len(self._waiting) >= LOOK_AHEAD:
                self._room.clear()
                await self._room.wait()

    def _begin(self) -> None:
        """Give the free places to those whose turn it is."""
        for request, item, answering in self._waiting.take(self._free):
            self._free -= 1
            self._start(request, item, answering)
        if len(self._waiting) < LOOK_AHEAD:
            self._room.set()

    async def _line_up(self, consumer: Consumer, delivery: Delivery) -> None:
        try:
            items = decode_frame(delivery.body)
        except FrameError as error:
            log.warning("frame_unreadable", queue=routing.work_queue(self._pool), code=error.code, error=str(error))
            await consumer.reject(delivery)
            return
        answering = Answering(consumer, delivery, len(items))
        if not items:
            await consumer.ack([delivery])
        for item in items:
            try:
                request = read_request(item)
            except RequestError as error:
                log.warning("request_unreadable", item=item.id, code=error.code, error=str(error), trace=item.traceparent)
                self._answers.set_aside(routing.work_queue(self._pool), item, error.code, str(error), answering)
                continue
            priority = DEFAULT_PRIORITY if request.priority is None else request.priority
            self._waiting.put(item.tenantid or "", (request, item, answering), priority=priority)

    def _start(self, request: Request, item: Item, answering: Answering) -> None:
        now = self._clock.now()
        call = ActivityCall(
            request.name, request.input, request.key, item.tenantid or "", request.execution_id, request.node, request.visit,
            request.attempt, request.deadline, item.traceparent,
        )  # fmt: skip
        running = Running(request, item, answering, now, now + timedelta(seconds=request.lease_s / 3))
        activity_began(self._counted_as(request), request.attempt, redelivered=answering.delivery.redelivered)
        task = asyncio.create_task(self._call(call))
        self._tasks[task] = running
        task.add_done_callback(self._done)

    async def _call(self, call: ActivityCall) -> Any:
        if call.traceparent is None or call.traceparent[-1:] not in "13579bdf":
            return await self._run(call)
        about = {"weft.tenant": call.tenant, "weft.execution": str(call.execution_id), "weft.node": call.node}
        with span(f"activity {call.name}", kind=SpanKind.CONSUMER, traceparent=call.traceparent, attributes=about):
            return await self._run(replace(call, traceparent=current_traceparent()))

    async def _run(self, call: ActivityCall) -> Any:
        activity = self._activities.get(call.name)
        if call.deadline is None:
            return await activity(call)
        left = (call.deadline - self._clock.now()).total_seconds()
        async with asyncio.timeout(max(0.0, left)):
            return await activity(call)

    def _done(self, task: asyncio.Task[Any]) -> None:
        running = self._tasks.pop(task)
        self._free += 1
        if task.cancelled():
            return  # the worker ends; the request comes again
        if len(self._waiting):
            self._begin()
        error = task.exception()
        if error is None:
            result = task.result()
            done = result if isinstance(result, Done) else Done(result)
            try:
                answer = answer_item(running.item, "activity.completed", _facts(running.request, outcome=done.outcome, output=done.output))
            except (TypeError, ValueError) as bad:
                message = f"{running.request.name} gave something that is no JSON value: {bad}"
                answer = self._failed(running, ActivityError("output_not_json", message, permanent=True))
        else:
            answer = self._failed(running, error)
        took_s = (self._clock.now() - running.began).total_seconds()
        activity_ended(self._counted_as(running.request), "completed" if error is None else "failed", took_s)
        self._answers.put(running.item.replyto or "", answer, running.answering)

    def _counted_as(self, request: Request) -> str:
        """What is asked for may have any name: only those that are there are counted apart."""
        return request.name if request.name in self._activities.by_name else "unknown"

    def _failed(self, running: Running, error: BaseException) -> Item:
        request = running.request
        if isinstance(error, ActivityError):
            code, message, permanent, details = error.code, error.message, error.permanent, error.details
            if error.retry_after_s is not None:
                details = {**details, "retry_after_s": error.retry_after_s}
        elif isinstance(error, TimeoutError):
            code, message, permanent, details = "deadline", f"{request.name} did not end by its deadline", False, {}
        else:
            log.error("activity_crashed", activity=request.name, execution=request.execution_id, node=request.node, exc_info=error)
            code, message, permanent, details = "activity_crashed", f"{request.name} raised {type(error).__name__}: {error}", False, {}
        failure = {"code": code, "message": message[:2000], "permanent": permanent}
        return answer_item(running.item, "activity.failed", _facts(request, error={**failure, "details": details} if details else failure))

    async def _live(self) -> None:
        """Tell the engine of long activities: accepted first, then a heartbeat within each third of the lease."""
        while True:
            await asyncio.sleep(SIGN_OF_LIFE_S)
            now = self._clock.now()
            for running in self._tasks.values():
                if running.sign_at <= now and running.item.replyto is not None:
                    word = "activity.heartbeat" if running.accepted else "activity.accepted"
                    running.accepted = True
                    running.sign_at = now + timedelta(seconds=running.request.lease_s / 3)
                    self._answers.put(running.item.replyto, answer_item(running.item, word, _facts(running.request)), None)


def _facts(request: Request, **more: Any) -> dict[str, Any]:
    return {"execution_id": request.execution_id, "node": request.node, "visit": request.visit, "attempt": request.attempt, **more}
