"""Every service has the same plan, and its door plate tells the truth: held against its files, its code and the map of rooms."""

import ast
import importlib
import re
from functools import cache

import pytest
from sqlalchemy import MetaData
from weft_contracts.catalog import words
from weft_contracts.message import PartitionCommand
from weft_contracts.rooms import ROOMS

from tests.house.tree import SERVICES, calls, package, parsed, parts

PLAN = ("__init__", "app", "settings", "api", "handlers", "schemas", "usecases", "domain", "store", "tables", "errors")
ALLOWED = {*PLAN, "machine", "migrations", "py"}
BEYOND_THE_PLAN: dict[str, dict[str, str]] = {
    "engine": {
        "core": "the pure state machine",
        "partitions": "which partitions this process owns",
        "ownership": "leases and epochs of nodes and partitions",
        "suspending": "holding up a tenant, a workflow, a node type",
        "budgets": "what models may cost: reserved before a call, settled after it; answers that stand for a while",
        "connections": "how workflows reach other systems, and those them; their secrets",
        "auditing": "what the audit is told of what people ask for",
        "by_hand": "what a start by hand may give, by the workflow's manual trigger",
        "admitting": "how many executions live, or begin, at once",
        "forgetting": "executions that were kept as long as asked",
        "gates": "the verbs at the gates: who is let in, waits or is refused",
        "standing": "what an execution that has not begun waits for",
        "views": "what people are shown of an execution",
        "journal": "what the hot loop reads and writes",
        "hotloop": "take, decide, write, tell",
        "worker": "runs activities",
        "programs": "compiled definitions, kept",
        "requests": "what a worker is asked",
        "answering": "what a worker answers, and that the broker has it",
        "campaigns": "what bulk jobs and migrations share: many executions are asked one by one, and answer",
        "bulk": "one verb on many executions, as a job",
        "simulating": "what would happen, with nothing asked of the outside",
        "testing": "what tests of workflows are written with",
        "moving": "live executions go on by another version, many by a plan",
    },
    "definitions": {
        "documents": "what stands in a definition",
        "waiting": "a publish is answered when all have it",
        "exchange": "definitions as files: out, and in from other languages",
        "templates": "definitions with parameters, of which workflows are made",
        "labels": "labels as lists are asked for them",
        "rules": "rules of administrators, each a workflow underneath",
        "asking": "questions to services that know more, and their answers",
    },
    "gateway": {
        "passwords": "argon2",
        "keyring": "the keys tokens are signed with",
        "issuing": "tokens",
        "signing_in": "the verbs of signing in",
        "auditing": "what the audit is told of signing in and of keys",
        "attempts": "how often a sign-in may fail",
        "feed": "what live watchers are told",
        "feeding": "the live feed's coming and going",
        "watching": "what one watcher is told, over whichever transport",
        "queues": "what waits in the broker's queues, for those who watch",
        "tickets": "what opens a WebSocket, once",
        "grouping": "the verbs on groups and who is in them",
        "oidc": "signing in by identity providers",
        "describing": "reads the API descriptions of the services",
        "openapi": "the API of all services as one",
        "seed": "the demo tenant",
    },
    "tasks": {
        "auditing": "what the audit is told of decision links and stand-ins",
        "forms": "a form, checked on the server",
        "access": "who may do what with a task",
        "task": "the nouns that domain and store share",
        "pauses": "what pauses of its execution do to a task",
        "approvals": "when several decisions are one",
        "apart": "whose part in other tasks keeps them from one",
        "agenda": "what time does to a task, and when",
        "ladder": "the decisions of time: reminding, reassigning, escalating, deciding, failing",
        "timing": "looks for what is due",
        "calendars": "business calendars: when the people of a tenant work",
        "behalf": "for whom somebody acts on a task",
        "handing": "what whoever has a task may do besides deciding it",
        "standing_in": "who looks after whose tasks, from when to when",
        "searching": "which tasks a question is for",
        "bulk": "one verb on many tasks",
        "decision_links": "signed addresses by which a task is decided once",
        "notifications": "what people are told, by which ways and when",
        "tokens": "what is sealed into addresses",
    },
    "events": {
        "reading": "three modes of CloudEvents, two doors",
        "auditing": "what the audit is told of sources and schedules",
        "registry": "compiled triggers, kept",
        "explaining": "why an event started what it started",
        "listening": "what executions wait for, and which events that may be",
        "scheduling": "what is due of schedules, and what was missed",
        "firing": "the loop that fires schedules when they are due",
        "hooks": "calls of webhooks: what they say, and for whom they are",
        "verifying": "the signatures of webhooks",
        "records": "changes of rows: what is watched, what a change is as an event, and for which triggers it is",
        "reaching": "the way to databases of tenants, at addresses that may be reached",
        "relaying": "the loop that reads the outboxes of those databases into the log",
        "mails": "mails: what they say, and for whom they are",
        "fetching": "the loop that fetches the mails that a provider told of",
        "backtesting": "what triggers would have started of the events in the log",
    },
    "analytics": {
        "histogram": "percentiles that add up",
        "tasks": "what the facts about a task make of it",
        "service_levels": "what the facts about an sla make of it",
        "rollups": "what one execution adds to the numbers",
        "audit": "who did what, as facts tell it, and the chain of it",
        "alerts": "what a rule watches for, and which alerts follow",
        "alerting": "the loop that looks for it, in one process at a time",
        "walks": "what ends tell of nodes and ways, added up",
        "costs": "what calls of models come to, and what budgets are watched for",
        "forecast": "how many executions will start",
        "window": "the span a question is for",
        "words": "which words are common, by which a search chooses its way",
    },
}
"""What a service has besides the plan, with its reason: a new name is a decision, so it is written down here."""

NAMES = {word.__name__: word for word in words()}


def plate(service: str) -> dict[str, str]:
    """The sections of a door plate: Owns, Hears, Says."""
    text = ast.get_docstring(parsed(package(service) / "__init__.py")) or ""
    return {
        name: " ".join(body.split())
        for name, body in re.findall(r"^(Owns|Hears|Says)\b((?:.(?!^(?:Owns|Hears|Says)\b))*.)", text, re.M | re.S)
    }


def on_plate(service: str, section: str) -> set[str]:
    """The words a section names."""
    return {name for name in re.findall(r"\w+", plate(service)[section]) if name in NAMES}


def mapped(service: str) -> tuple[set[str], set[str]]:
    """What the map says a service hears and says; the engine's package holds its workers too."""
    rooms = [ROOMS[service], *([ROOMS["worker"]] if service == "engine" else [])]
    return {word.__name__ for room in rooms for word in room.hears}, {word.__name__ for room in rooms for word in room.says}


@cache
def heard_by_handlers(service: str) -> frozenset[str]:
    """The words in `@on(…)` and `@on.batch(…)`, those behind a named tuple of words too."""
    found: set[str] = set()
    for path in parts(service, "handlers"):
        tree = parsed(path)
        tuples = {
            target.id: node.value.elts
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for function in ast.walk(tree):
            for decorator in getattr(function, "decorator_list", ()):
                for argument in getattr(decorator, "args", ()):
                    inner = argument.value if isinstance(argument, ast.Starred) else argument
                    choices = tuples.get(getattr(inner, "id", ""), [inner])
                    found |= {choice.id for choice in choices if isinstance(choice, ast.Name) and choice.id in NAMES}
    return frozenset(found)


@cache
def constructed(service: str) -> frozenset[str]:
    """The words a service makes, by calling the class or naming it as what to make."""
    made = set()
    for path in sorted(package(service).rglob("*.py")):
        made |= {name.rpartition(".")[2] for _, name in calls(parsed(path))}
    return frozenset(made & NAMES.keys())


@cache
def mentioned(service: str) -> frozenset[str]:
    """The words a service's code names, by class or by wire type."""
    types = {word.type: name for name, word in NAMES.items()}
    found = set()
    for path in sorted(package(service).rglob("*.py")):
        docstrings = {id(node.value) for node in ast.walk(parsed(path)) if isinstance(node, ast.Expr)}
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Name | ast.Attribute):
                found.add(node.id if isinstance(node, ast.Name) else node.attr)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                found.add(types.get(node.value, ""))
    return frozenset(found & NAMES.keys())


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_files_of_the_plan(service: str) -> None:
    missing = [name for name in PLAN if not parts(service, name)]

    assert missing == []
    assert (package(service) / "migrations" / "versions").is_dir()


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_service_has_besides_the_plan_has_a_reason(service: str) -> None:
    there = {path.stem for path in package(service).iterdir() if path.name != "__pycache__" and path.suffix in ("", ".py")}

    assert sorted(there - ALLOWED - BEYOND_THE_PLAN[service].keys()) == []


@pytest.mark.parametrize("service", SERVICES)
def test_the_door_plate_has_its_three_lines(service: str) -> None:
    found = plate(service)

    assert list(found) == ["Owns", "Hears", "Says"]
    assert f"schema `{service}`" in found["Owns"]


@pytest.mark.parametrize("service", SERVICES)
def test_the_door_plate_names_the_tables_of_the_service(service: str) -> None:
    tables: MetaData = importlib.import_module(f"weft_{service}.tables").metadata

    assert sorted(re.findall(r"\w+", plate(service)["Owns"].partition(":")[2])) == sorted(table.name for table in tables.sorted_tables)


@pytest.mark.parametrize("service", SERVICES)
def test_the_door_plate_names_only_words_of_the_catalog(service: str) -> None:
    found = plate(service)
    named = {name for section in ("Hears", "Says") for name in re.findall(r"\b[A-Z][a-z]+(?:[A-Z][a-z]+)+\b", found[section])}

    assert sorted(named - NAMES.keys() - {"CloudEvents"}) == []


@pytest.mark.parametrize("service", SERVICES)
def test_the_door_plate_is_the_map_of_rooms(service: str) -> None:
    hears, says = mapped(service)

    assert on_plate(service, "Hears") == hears
    assert on_plate(service, "Says") == says


@pytest.mark.parametrize("service", SERVICES)
def test_the_door_plate_names_what_the_handlers_hear(service: str) -> None:
    beside = {name for name, word in NAMES.items() if issubclass(word, PartitionCommand) or name.startswith("Activity")}

    assert heard_by_handlers(service) == on_plate(service, "Hears") - (beside if service == "engine" else set())


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_says_nothing_that_is_not_on_its_plate(service: str) -> None:
    assert sorted(constructed(service) - on_plate(service, "Says")) == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_knows_all_that_is_on_its_plate(service: str) -> None:
    plated = on_plate(service, "Hears") | on_plate(service, "Says")

    assert sorted(plated - mentioned(service)) == []
