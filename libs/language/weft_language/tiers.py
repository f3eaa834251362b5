"""The tiers of tenants, in their order."""

from collections.abc import Iterator
from typing import Final

TIERS: Final = ("free", "standard", "premium", "enterprise")
"""From the least to the most. A tenant may have no tier, or one of an installation's own, which stands beside these."""


def reaches(tier: str | None, least: str) -> bool:
    """Whether a tenant's tier is `least` or more. Without a tier it never is; one of an installation's own reaches itself alone."""
    if tier not in TIERS or least not in TIERS:
        return tier is not None and tier == least
    return TIERS.index(tier) >= TIERS.index(least)


def at_most(tier: str | None) -> Iterator[str]:
    """A tier and those below it, the highest first; nothing without a tier."""
    if tier is not None and tier not in TIERS:
        yield tier
    elif tier is not None:
        yield from reversed(TIERS[: TIERS.index(tier) + 1])
