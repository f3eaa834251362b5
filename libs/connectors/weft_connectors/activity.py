"""What an activity is: a function from a call to an output. Connectors give them, a worker runs them."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import entry_points
from typing import Any
from uuid import UUID

GROUP = "weft.activities"
"""The entry point group: each entry is a mapping of activity names to functions, or a function that gives one."""


@dataclass(frozen=True, slots=True)
class ActivityCall:
    """One attempt at an activity.

    key: `<execution>:<node>:<visit>`, the same over all attempts: hand it to the callee as its idempotency key.
    deadline: UTC, after which nobody waits for the answer any more.  tenant: whose work it is.
    """

    name: str
    input: Any
    key: str
    tenant: str
    execution_id: UUID
    node: str
    visit: int
    attempt: int
    deadline: datetime | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """An output with an outcome other than `done`."""

    output: Any
    outcome: str = "done"


class ActivityError(Exception):
    """An attempt that failed, as the caller should know it.

    code: stable, what `retry.on` names.  permanent: trying again is pointless.  retry_after_s: not before, when the callee said so.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        permanent: bool = False,
        details: Mapping[str, Any] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.permanent = permanent
        self.details = dict(details or {})
        self.retry_after_s = retry_after_s


Activity = Callable[[ActivityCall], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Activities:
    """Activities by name. A name is given once; two connectors that give the same are refused."""

    by_name: Mapping[str, Activity] = field(default_factory=dict)

    @classmethod
    def installed(cls, group: str = GROUP, **options: Any) -> Activities:
        """Those of every installed package. Raises: ValueError when two give the same name.

        options: for the functions of entry points; each is handed those that it has a parameter for.
        """
        found: dict[str, Activity] = {}
        for entry in sorted(entry_points(group=group), key=lambda entry: entry.name):
            given = entry.load()
            for name, activity in (given(**_meant_for(given, options)) if callable(given) else given).items():
                if name in found:
                    raise ValueError(f"activity {name!r} is given twice, the second time by {entry.value}; remove one of the packages")
                found[name] = activity
        return cls(found)

    def get(self, name: str) -> Activity:
        """The function. Raises: ActivityError (permanent, `activity_unknown`)."""
        try:
            return self.by_name[name]
        except KeyError:
            known = ", ".join(sorted(self.by_name)) or "none"
            message = f"no activity {name!r} is installed in this worker (it has: {known}); install its package or name another queue"
            raise ActivityError("activity_unknown", message, permanent=True) from None

    async def aclose(self) -> None:
        """Close what activities keep open: every one that has an `aclose`, once."""
        for activity in {id(one): one for one in self.by_name.values()}.values():
            close: Callable[[], Awaitable[None]] | None = getattr(activity, "aclose", None)
            if close is not None:
                await close()


def _meant_for(function: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, Any]:
    parameters = inspect.signature(function).parameters
    return {name: value for name, value in options.items() if name in parameters}
