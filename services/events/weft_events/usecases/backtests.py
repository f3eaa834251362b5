"""Backtests: what is asked is kept until it is run."""

from __future__ import annotations

from weft_contracts.questions import BacktestTriggers
from weft_runtime.uow import UnitOfWork

from weft_events.store import backtests


async def keep_backtest(msg: BacktestTriggers, uow: UnitOfWork) -> None:
    """Keep what is to be run."""
    await backtests.add(uow, msg)
