"""What rooms leave to the frame around them: committing, acknowledging, publishing, reading the clock, catching everything."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import SERVICES, calls, dotted, parsed, parts, shown, sources

ROOM = ("handlers", "usecases", "domain", "machine", "store", "core")
FRAME_VERBS = {"commit", "rollback", "ack", "nack", "reject", "begin", "begin_nested"}
CARRIERS = {"bus", "broker", "channel", "exchange", "publisher"}
CLOCKS = {
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "datetime.datetime.now", "datetime.date.today"),
    *("time.time", "time.time_ns", "time.monotonic", "time.perf_counter", "SystemClock"),
    *("func.now", "sa.func.now", "func.clock_timestamp", "func.current_timestamp"),
}
CHANCE = {"uuid4", "uuid.uuid4", "uuid1", "uuid.uuid1"}


def frame_calls(tree: ast.AST) -> Iterator[str]:
    for node, name in calls(tree):
        receiver, _, verb = name.rpartition(".")
        if (receiver and verb in FRAME_VERBS) or (verb in {"publish", "send"} and receiver.rpartition(".")[2].lstrip("_") in CARRIERS):
            yield f"{node.lineno}: {name}()"


def clock_reads(tree: ast.AST) -> Iterator[str]:
    yield from (f"{node.lineno}: {name}()" for node, name in calls(tree) if name in CLOCKS)


def found_in(paths: list[Path], what: str) -> list[str]:
    checks = {"frame": frame_calls, "clock": clock_reads}
    return [f"{shown(path)}:{line}" for path in paths for line in checks[what](parsed(path))]


@pytest.mark.parametrize("service", SERVICES)
def test_a_room_never_commits_acknowledges_or_publishes(service: str) -> None:
    assert found_in(parts(service, *ROOM), "frame") == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_room_never_reads_a_clock(service: str) -> None:
    assert found_in(parts(service, *ROOM), "clock") == []


@pytest.mark.parametrize("service", SERVICES)
def test_decisions_are_given_their_ids(service: str) -> None:
    drawn = [f"{shown(path)}:{node.lineno}" for path in parts(service, "domain", "machine", "core") for node, name in calls(parsed(path))
             if name in CHANCE or name.rpartition(".")[2] == "new_id"]  # fmt: skip

    assert drawn == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_handler_is_given_word_and_unit_of_work_and_makes_one_call(service: str) -> None:
    wrong = []
    for path in parts(service, "handlers"):
        for function in ast.walk(parsed(path)):
            if not isinstance(function, ast.AsyncFunctionDef) or not function.decorator_list:
                continue
            body = [node for node in function.body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
            names = [argument.arg for argument in function.args.args]
            one_call = len(body) == 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Await)
            if names[1:] != ["uow"] or names[0] not in ("msg", "heard") or not one_call:
                wrong.append(f"{shown(path)}:{function.lineno} {function.name}({', '.join(names)})")

    assert wrong == []


def catches_everything(tree: ast.AST) -> Iterator[int]:
    """Where everything is caught and kept; what puts something in order and raises again is no catch."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and not (isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(kind is None or dotted(kind) in {"Exception", "BaseException"} for kind in kinds):
                yield node.lineno


def test_only_the_runtime_catches_everything() -> None:
    caught = [
        f"{shown(path)}:{line}"
        for path in sources("libs/", "services/", "weft/")
        if not shown(path).startswith("libs/runtime/")
        for line in catches_everything(parsed(path))
    ]

    assert caught == []


def test_lifecycles_are_strict_machines() -> None:
    loose = [
        shown(path)
        for path in sources("libs/", "services/", "weft/")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("statemachine")
        and "StateChart" in {one.name for one in node.names}
    ]

    assert loose == [], "a StateChart swallows illegal events; StateMachine refuses them"


@pytest.mark.parametrize(
    "line", ["await uow.conn.commit()", "await message.ack()", "await bus.publish(frame)", "async with uow.conn.begin() as t: pass"]
)
def test_the_rule_about_the_frame_bites(line: str) -> None:
    assert list(frame_calls(ast.parse(f"async def f():\n    {line}")))


@pytest.mark.parametrize("line", ["datetime.now(UTC)", "time.monotonic()", "SystemClock()"])
def test_the_rule_about_clocks_bites(line: str) -> None:
    assert list(clock_reads(ast.parse(line)))


@pytest.mark.parametrize("line", ["except Exception: pass", "except: pass", "except (OSError, BaseException): pass"])
def test_the_rule_about_catching_everything_bites(line: str) -> None:
    assert list(catches_everything(ast.parse(f"try:\n    f()\n{line}")))


def test_putting_in_order_before_raising_again_is_no_catch() -> None:
    assert list(catches_everything(ast.parse("try:\n    f()\nexcept BaseException:\n    g()\n    raise"))) == []


def test_a_verb_named_publish_is_no_publishing() -> None:
    assert list(frame_calls(ast.parse("await usecases.publish(slug, uow)"))) == []
