"""How many executions will start in the hours to come: a seasonal mean, with an interval and the error it had before. Pure.

What is expected of an hour is the mean of the same hour of the seasons before, or the last of them alone where that came closer. The past
is forecast in the same way, each hour by what came before it: that gives the interval and tells how far off it was.
Source: Hyndman, Athanasopoulos, "Forecasting: Principles and Practice" (3rd edition), 5.2 (seasonal naive), 5.8 (scaled errors).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Final, Literal

SEASONS: Final[dict[str, int]] = {"week": 168, "day": 24}
"""Hours of each season, the one that is looked for first before the other."""
NEEDED: Final = 3
"""Seasons without which nothing is forecast: two to expect from, one to measure by."""
TAKEN: Final = 4
"""Seasons that a mean is of, at most."""
INSIDE: Final = 0.8
"""The share of hours that the interval is to hold."""

Method = Literal["seasonal_mean", "seasonal_naive"]


@dataclass(frozen=True, slots=True)
class Error:
    """How far off forecasts of the past were. mae: mean of how far, executions an hour.  mase: the same in units of what the seasonal naive
    forecast was off; None where that was never off.  coverage: share of the later half that lay in the interval of the earlier half.
    """

    mae: float
    mase: float | None
    coverage: float
    hours: int


@dataclass(frozen=True, slots=True)
class Hour:
    """What is expected of an hour, and between what."""

    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """Of the hours to come, one after another. season: that was found in the history.  hours, error: nothing where `season` is None."""

    season: str | None
    method: Method | None
    error: Error | None
    hours: Sequence[Hour]


def forecast(history: Sequence[int], ahead: int) -> Forecast:
    """What follows from a history. history: starts by the hour, without a gap, the newest last.  ahead: hours, a season at most are given.

    With less than three days of history nothing does.
    """
    season = next((name for name, length in SEASONS.items() if len(history) >= NEEDED * length), None)
    if season is None:
        return Forecast(None, None, None, ())
    length = SEASONS[season]
    measured = range((NEEDED - 1) * length, len(history))
    methods: dict[Method, list[float]] = {
        "seasonal_naive": [_expected(history, hour, length, 1) for hour in measured],
        "seasonal_mean": [_expected(history, hour, length, TAKEN) for hour in measured],
    }
    actual = [history[hour] for hour in measured]
    off = {
        name: sum(abs(was - expected) for was, expected in zip(actual, all_, strict=True)) / len(actual) for name, all_ in methods.items()
    }
    method: Method = "seasonal_mean" if off["seasonal_mean"] < off["seasonal_naive"] else "seasonal_naive"
    spread = [(was - expected) / _unit(expected) for was, expected in zip(actual, methods[method], strict=True)]
    half = len(spread) // 2
    low, high = _interval(spread[:half])
    coverage = sum(low <= one <= high for one in spread[half:]) / (len(spread) - half)
    mase = off[method] / off["seasonal_naive"] if off["seasonal_naive"] else None
    taken = 1 if method == "seasonal_naive" else TAKEN
    coming = (_expected(history, len(history) + hour, length, taken) for hour in range(min(ahead, length)))
    around = _interval(spread)
    return Forecast(season, method, Error(off[method], mase, coverage, len(actual)), [_around(expected, *around) for expected in coming])


def _expected(history: Sequence[int], hour: int, length: int, taken: int) -> float:
    """The mean of the same hour of so many seasons before, as far as there are."""
    same = [history[before] for before in range(hour - length, max(-1, hour - length * taken - 1), -length)]
    return sum(same) / len(same)


def _around(expected: float, low: float, high: float) -> Hour:
    unit = _unit(expected)
    return Hour(expected, max(0.0, expected + min(low, 0.0) * unit), expected + max(high, 0.0) * unit)


def _unit(expected: float) -> float:
    """How far off is usual for so many: what starts by chance spreads with the root of its mean."""
    return sqrt(expected + 1)


def _interval(spread: Sequence[float]) -> tuple[float, float]:
    """Between which two so many lie as are to be inside, as many below as above."""
    ordered, outside = sorted(spread), (1 - INSIDE) / 2
    last = len(ordered) - 1
    return ordered[int(last * outside)], ordered[ceil(last * (1 - outside))]
