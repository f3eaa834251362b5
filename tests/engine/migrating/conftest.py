"""Two versions of a workflow for the pure core, and an execution that goes from one to the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from weft_engine.core import items as i
from weft_engine.core.entries import Row, decode, encode
from weft_engine.core.evolve import fold
from weft_engine.core.messages import messages
from weft_engine.core.migrating import Moved, migrate, undo
from weft_language import compile_definition, parse
from weft_language.compilation import Program

from tests.engine.core.conftest import CONTEXT, ID, Run, comparable


def version(number: int, nodes: list[dict[str, Any]], edges: list[dict[str, Any]] | None = None, **more: Any) -> Program:
    """A version of one workflow."""
    document = {"format": "weft/v1", "slug": "test", "name": "Test", "nodes": nodes, **({"edges": edges} if edges else {}), **more}
    return compile_definition(parse(document), number)


def keep(run: Run, moved: Moved) -> Moved:
    """Write down what a migration gave; the journal must fold to the state it gave."""
    if moved.state is not None and moved.entries:
        position = moved.state.position - len(moved.entries)
        run.rows.append(Row(position, run.now, decode(encode(list(moved.entries)))))
        run.outgoing += messages(moved.state, moved.entries, position, run.now, 8)
        assert comparable(fold(ID, run.rows)) == comparable(moved.state), "the journal tells another state"
        run.state = moved.state
    run.answer = moved.answer
    return moved


def to(run: Run, new: Program, mapping: Mapping[str, str | None] | None = None, **more: Any) -> Moved:
    """Let an execution go on by a version, if it can."""
    item = i.Migrate(ID, new.version, mapping=None if mapping is None else dict(mapping), **more)
    moved = keep(run, migrate(run.state, item, run.now, run.program, new, CONTEXT))
    if run.state.version == new.version:
        run.program = new
    return moved


def back(run: Run, old: Program) -> Moved:
    """Undo the last migration, if that is still possible."""
    moved = keep(run, undo(ID, run.rows, i.UndoMigration(ID), run.now))
    if run.state.version == old.version:
        run.program = old
    return moved


def verdict_of(moved: Moved) -> tuple[str, list[tuple[str, str | None]]]:
    """The verdict in an answer, and the code and node of each reason."""
    body = moved.answer.body
    return body["verdict"], [(one["code"], one["node"]) for one in body["reasons"]]
