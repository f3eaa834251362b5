"""The flows and the step, as Restate has them: a step is a service of another process, called durably."""

from __future__ import annotations

from datetime import timedelta

import restate

steps = restate.Service("Steps")
flows = restate.Service("Flows")
rest = restate.Workflow("Rest", inactivity_timeout=timedelta(minutes=10))


@steps.handler()
async def echo(ctx: restate.Context, amount: int) -> int:
    """The remote work: none, so that the system is what is measured."""
    return amount


@flows.handler()
async def remote3(ctx: restate.Context, amount: int) -> int:
    for _ in range(3):
        amount = await ctx.service_call(echo, amount)
    return amount


@flows.handler()
async def fanout100(ctx: restate.Context, amount: int) -> int:
    calls = [ctx.service_call(echo, number) for number in range(100)]
    await restate.gather(*calls)
    return sum([await call for call in calls])


@flows.handler()
async def local3(ctx: restate.Context, amount: int) -> int:
    for number in range(3):
        amount = await ctx.run_typed(f"step{number}", lambda given=amount: given)
    return amount


@flows.handler()
async def local100(ctx: restate.Context, amount: int) -> int:
    runs = [ctx.run_typed(f"step{number}", lambda given=number: given) for number in range(100)]
    await restate.gather(*runs)
    return sum([await run for run in runs])


@rest.main()
async def run(ctx: restate.WorkflowContext, amount: int) -> dict[str, bool]:
    given: dict[str, bool] = await ctx.promise("go").value()
    return given


@rest.handler()
async def go(ctx: restate.WorkflowSharedContext, payload: dict[str, bool]) -> None:
    await ctx.promise("go").resolve(payload)
