"""An execution in the core that can go on by another version, and back."""

from __future__ import annotations

from uuid import UUID

from weft_engine.core import items as i
from weft_engine.core.migrating import Moved, migrate, undo
from weft_engine.core.state import State
from weft_language.compilation import Program

from tests.engine.programs.disturbing.renaming import Versions
from tests.engine.programs.driving.cored import CONTEXT, Cored, Seen
from tests.engine.programs.times import moment

ENDING = {"ending"}
"""Why one that lives and has begun may not go on by a version that only calls its nodes otherwise."""


class Moving:
    """versions: of its program; it begins by the first."""

    def __init__(self, id_: UUID, versions: Versions, *, restart: bool) -> None:
        self.id, self._versions = id_, versions
        self.cored = Cored(id_, versions.program(1), restart=restart)

    @property
    def state(self) -> State:
        """How it stands."""
        return self.cored.state

    @property
    def program(self) -> Program:
        """The version that it runs."""
        return self.cored.program

    def on(self, now: int) -> Seen:
        """Go on by the next version."""
        version = self.state.version + 1
        old, new = self.cored.program, self._versions.program(version)
        item = i.Migrate(self.id, version, mapping=dict(self._versions.mapping(version)))
        moved = migrate(self.state, item, moment(now), old, new, CONTEXT)
        if moved.state is None:
            codes = {reason["code"] for reason in moved.answer.body["reasons"]}
            assert codes <= ENDING, f"version {version} should do: {moved.answer}"
        return self._keep(moved, now)

    def back(self, now: int) -> Seen:
        """Go back by the version before, if nothing has happened since."""
        return self._keep(undo(self.id, self.cored.rows, i.UndoMigration(self.id), moment(now)), now)

    def _keep(self, moved: Moved, now: int) -> Seen:
        seen = Seen()
        if moved.state is not None and moved.entries:
            old, self.cored.state = self.state, moved.state
            self.cored.program = self._versions.program(moved.state.version)
            self.cored.keep(list(moved.entries), now, seen, old)
        return seen
