"""Two versions of a workflow for the pure core, and an execution that goes from one to the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from weft_engine.core import items as i
from weft_engine.core.context import Context
from weft_engine.core.entries import Row, decode, encode
from weft_engine.core.evolve import fold
from weft_engine.core.messages import messages
from weft_engine.core.migrating import Moved, migrate, undo
from weft_engine.core.rewinding import retry
from weft_language import compile_definition, parse
from weft_language.compilation import Program

from tests.engine.core.apart import Apart
from tests.engine.core.conftest import CONTEXT, ID, Run, comparable


def version(number: int, nodes: list[dict[str, Any]], edges: list[dict[str, Any]] | None = None, **more: Any) -> Program:
    """A version of one workflow."""
    document = {"format": "weft/v1", "slug": "test", "name": "Test", "nodes": nodes, **({"edges": edges} if edges else {}), **more}
    return compile_definition(parse(document), number)


def keep(run: Run, moved: Moved, act: Callable[[Apart, Context], Moved]) -> Moved:
    """Write down what a migration gave; the journal must fold to the state it gave. act: the same to the one with values kept apart."""
    if moved.state is not None and moved.entries:
        position = moved.state.position - len(moved.entries)
        run.rows.append(Row(position, run.now, decode(encode(list(moved.entries)))))
        said = messages(moved.state, moved.entries, position, run.now, 8)
        run.outgoing += said
        assert comparable(fold(ID, run.rows)) == comparable(moved.state), "the journal tells another state"
        run.state = moved.state
        if (beside := run.apart) is not None:
            apart = beside.given(CONTEXT, lambda context: act(beside, context))
            assert apart.answer == moved.answer
            beside.keep(apart.entries, run.now, run.rows, said)
    run.answer = moved.answer
    return moved


def to(run: Run, new: Program, mapping: Mapping[str, str | None] | None = None, **more: Any) -> Moved:
    """Let an execution go on by a version, if it can."""
    item = i.Migrate(ID, new.version, mapping=None if mapping is None else dict(mapping), **more)

    def act(of: Run | Apart, context: Context) -> Moved:
        return migrate(of.state, item, run.now, run.program, new, context)

    moved = keep(run, act(run, CONTEXT), act)
    if run.state.version == new.version:
        run.program = new
    return moved


def back(run: Run, old: Program) -> Moved:
    """Undo the last migration, if that is still possible."""

    def act(of: Run | Apart, context: Context) -> Moved:
        return undo(ID, of.rows, i.UndoMigration(ID), run.now)

    moved = keep(run, act(run, CONTEXT), act)
    if run.state.version == old.version:
        run.program = old
    return moved


def verdict_of(moved: Moved) -> tuple[str, list[tuple[str, str | None]]]:
    """The verdict in an answer, and the code and node of each reason."""
    body = moved.answer.body
    return body["verdict"], [(one["code"], one["node"]) for one in body["reasons"]]


def retry_by(run: Run, program: Program, item: i.Retry) -> Moved:
    """Let an execution that failed go on by a program."""

    def act(of: Run | Apart, context: Context) -> Moved:
        retried = retry(ID, of.rows, item, run.now, program, context)
        assert retried.answer is not None
        return Moved(retried.answer, retried.state, retried.entries)

    return keep(run, act(run, CONTEXT), act)
