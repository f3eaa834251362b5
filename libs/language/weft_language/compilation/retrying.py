"""When a failed attempt is tried again, and after how long."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how fast a node is tried again. Times in seconds.

    attempts: in all, 1..100.  on: only these error codes (empty: all).  not_on: never these.  deadline_s: no attempt starts later than
    this after the first; None is without limit.
    """

    attempts: int = 1
    delay_s: float = 1.0
    factor: float = 2.0
    max_delay_s: float = 300.0
    jitter: bool = True
    on: frozenset[str] = field(default_factory=frozenset)
    not_on: frozenset[str] = field(default_factory=frozenset)
    deadline_s: float | None = None

    def covers(self, code: str, *, permanent: bool = False) -> bool:
        """Whether an error with this code is worth another attempt; never when it is permanent."""
        return not permanent and code not in self.not_on and (not self.on or code in self.on)

    def delay(self, attempt: int, rand01: float, elapsed_s: float = 0.0, least_s: float = 0.0) -> float | None:
        """Seconds to wait after failed attempt number `attempt` (from 1); None when no further attempt is due.

        rand01: uniform in [0, 1), the caller's.  elapsed_s: since the first attempt began.  least_s: that whoever failed asked for.
        Returns: delay_s * factor ** (attempt - 1), at most max_delay_s; with jitter between half of that and that; never less than least_s.
        Source: AWS Builders' Library, "Timeouts, retries, and backoff with jitter" (equal jitter keeps a least distance).
        """
        if attempt >= self.attempts:
            return None
        # The exponent is bounded, so that a large factor cannot overflow a float; max_delay_s has long won by then.
        wait = min(self.max_delay_s, self.delay_s * min(self.factor, 100.0) ** min(attempt - 1, 100))
        if self.jitter:
            wait *= 0.5 + rand01 / 2
        wait = max(wait, least_s)
        if self.deadline_s is not None and elapsed_s + wait > self.deadline_s:
            return None
        return wait


NEVER_AGAIN = RetryPolicy()
ACTIVITY_DEFAULT = RetryPolicy(attempts=5)
