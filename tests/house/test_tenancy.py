"""Every query of a tenant's table names the tenant: the message door's role is not held by row-level security."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.house.tree import SERVICES, calls, dotted, package, parsed, parts, shown

TENANT = "tenant_id"
ACROSS_TENANTS: dict[str, str] = {
    "store/directory.find_by_email": "who signs in names no tenant",
    "store/hearing.forget_minutes": "numbers by the minute are kept for a while, for all tenants alike",
    "store/alerts.tenants": "who looks serves all tenants",
    "store/alerts.open_by_kind": "a metric of the installation",
    "store/alerts.forget": "alerts that are over are kept for a while, for all tenants alike",
    "store/walks.fold": "what was heard is added for all tenants at once; each piece carries its tenant",
    "store/walks.forget": "numbers of nodes and ways are kept for a while, for all tenants alike",
    "store/costs.forget": "calls of models are kept for a while, for all tenants alike",
    "store/comparing.tenants": "operators compare all tenants; the route is theirs alone",
    "store/budgets.release_expired": "who tidies up serves all tenants; each reservation carries its tenant",
    "store/budgets.forget_spending": "what was spent is kept for a while, for all tenants alike",
    "store/ai_answers.forget": "answers that stand no more go for all tenants at once",
    "store/bulk.forget": "old jobs go for all tenants at once",
    "store/migrations.KEPT": "which tables the migrations are in; what is done with them names the tenant",
    "store/migrations.forget": "old migrations go for all tenants at once",
    "store/__init__.due_tenants": "time passes for all tenants",
    "store/notifications.forget": "what was told is kept for a while, for all tenants alike",
    "store/sending.forget": "what was sent is kept for a while, for all tenants alike",
    "store/feed.forget": "the feed is kept short for all tenants at once",
    "store/__init__.forget_ended": "the gatekeeper serves all tenants",
    "store/__init__.tenants_at_gates": "the gatekeeper serves all tenants",
    "store/schedules.next_due": "the loop serves all tenants",
    "store/schedules.due": "the loop serves all tenants; each schedule carries its tenant",
    "store/leases._CLAIM": "the loop serves all tenants; each source carries its tenant",
    "store/sessions.use_token": "the token is the proof, and names the session",
    "store/sessions.revoked_access": "every service refuses these, whosever they are",
    "store/oidc.identity": "who signs in by a provider names no tenant",
    "store/oidc.forget": "what was not used in time goes for all tenants at once",
    "store/tickets.take": "the ticket is the proof, and names the tenant",
    "store/tickets.forget": "what was not used in time goes for all tenants at once",
    "store/sessions.forget_expired": "what has expired goes for all tenants at once",
}
"""`folder/file.name` of queries that must see all tenants, with the reason."""


@cache
def tables(service: str) -> dict[str, bool]:
    """The tables of a service by their Python name; whether each has a tenant."""
    found = {}
    for path in parts(service, "tables"):
        for node in parsed(path).body:
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and dotted(node.value.func).rpartition(".")[2] == "Table":
                constants = {one.value for one in ast.walk(node.value) if isinstance(one, ast.Constant)}
                helpers = {one.id for one in ast.walk(node.value) if isinstance(one, ast.Name)}
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        found[target.id] = TENANT in constants or any("tenant" in name for name in helpers)
    return found


def units(tree: ast.Module) -> Iterator[ast.stmt]:
    """What stands for itself in a store: functions, and statements that build a query once."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from (inner for inner in node.body if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef))
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            yield node


def used_tables(unit: ast.AST, known: dict[str, bool]) -> set[str]:
    """The tenants' tables a piece of code touches, as `task` or `tables.task`, beyond naming one of their columns."""
    nodes = list(ast.walk(unit))
    columns = {id(node.value) for node in nodes if isinstance(node, ast.Attribute) and node.attr == "c"}
    whole = [node for node in nodes if id(node) not in columns]
    names = {node.id for node in whole if isinstance(node, ast.Name)}
    names |= {node.attr for node in whole if isinstance(node, ast.Attribute) and dotted(node.value) == "tables"}
    return {name for name in names if known.get(name)}


def with_what_it_calls(unit: ast.stmt, tree: ast.Module) -> list[ast.AST]:
    """A piece of code and the functions of its own file that it calls."""
    called = {name for _, name in calls(unit)}
    return [unit, *(node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in called)]


def says_tenant(unit: ast.AST) -> bool:
    """Whether a piece of code speaks of the tenant in code, not only in its docstring."""
    docstrings = {id(node.value) for node in ast.walk(unit) if isinstance(node, ast.Expr)}
    for node in ast.walk(unit):
        words = (getattr(node, "attr", ""), getattr(node, "id", ""), getattr(node, "arg", "") or "")
        quoted = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings else ""
        if any("tenant" in word for word in (*words, quoted)):
            return True
    return False


def named(unit: ast.stmt) -> str:
    """What a unit is called: a function, or the constant that a statement gives."""
    return str(getattr(unit, "name", "") or getattr(getattr(unit, "target", None), "id", ""))


def forgetful(path: Path, known: dict[str, bool]) -> list[str]:
    return [
        f"{shown(path)}:{unit.lineno} uses {', '.join(sorted(used))} and names no tenant"
        for unit in units(parsed(path))
        if (used := used_tables(unit, known))
        and not any(says_tenant(part) for part in with_what_it_calls(unit, parsed(path)))
        and f"{path.parent.name}/{path.stem}.{named(unit)}" not in ACROSS_TENANTS
    ]


@pytest.mark.parametrize("service", SERVICES)
def test_every_query_of_a_tenants_table_names_the_tenant(service: str) -> None:
    known = tables(service)

    assert [line for path in parts(service, "store") for line in forgetful(path, known)] == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_tenants_table_is_guarded_for_the_http_role(service: str) -> None:
    guarded = "\n".join(path.read_text() for path in (package(service) / "migrations").rglob("*.py"))

    assert "tenancy" in guarded
    assert any(tables(service).values()), "no table of a tenant was found: teach this check to read its tables"


def test_the_rule_bites() -> None:
    code = ast.parse("async def get(uow, id):\n    '''A task of the tenant.'''\n    return select(task).where(task.c.id == id)")
    (unit,) = units(code)

    assert used_tables(unit, {"task": True}) == {"task"}
    assert not says_tenant(unit)
    assert says_tenant(ast.parse("select(task).where(task.c.tenant_id == uow.tenant)"))
