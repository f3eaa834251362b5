"""How the tests are shared out to several processes."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

from tests.support.modes import IN_MANY, IN_ONE


class InRows(LoadScopeScheduling):  # type: ignore[misc]
    """To one process go the tests of a file, or of a kept mesh, whatever files they are in: starting it costs more than they do."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, name = nodeid.partition("::")
        return next((f"mesh of {mode}" for mode in (IN_MANY, IN_ONE) if f"[{mode}" in name), file)
