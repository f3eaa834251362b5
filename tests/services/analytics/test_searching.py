"""Executions found by version and by text, along indexes: on a real database, through the door."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import Executable
from weft_analytics import words
from weft_analytics.app import build
from weft_analytics.store import listing
from weft_analytics.store.listing import Filter, Words, children, common_words, listed
from weft_contracts.definitions import WorkflowChanged
from weft_runtime.testing import RunningService, running_service, tell
from weft_runtime.uow import UnitOfWork

from tests.services.analytics.facts import START, life

ROWS = 20_000
FILL = """
INSERT INTO analytics.executions (tenant_id, id, workflow, version, status, position, begun, key, labels, trigger_type, event_id, priority,
    started_at, "user", error_code, error_message)
SELECT 'full', gen_random_uuid(), 'w-' || n % 10, 1 + n / (:rows / 5), CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'completed' END, 9, true,
    'key-' || n, jsonb_build_object('team', 't' || n % 100), 'event', 'event-' || n, 0, now() - make_interval(secs => :rows - n),
    CASE WHEN n % 3 = 0 THEN 'user-' || n % 500 END,
    CASE WHEN n % 50 = 0 THEN 'code_' || n % 7 END, CASE WHEN n % 50 = 0 THEN 'server s' || n || ' does not answer' END
FROM generate_series(1, :rows) AS n
"""


class Explain(Executable, sa.ClauseElement):
    """What PostgreSQL would do for a query, with its values."""

    inherit_cache = False

    def __init__(self, query: Any) -> None:
        self.query = query


@compiles(Explain)
def _explain(element: Explain, compiler: Any, **given: Any) -> str:
    return f"EXPLAIN {compiler.process(element.query, **given)}"


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[RunningService]:
    async with running_service(build, database_url) as running:
        yield running


@pytest.fixture(scope="module")
async def full(service: RunningService) -> RunningService:
    """The same with many rows of one tenant, whose statistics are known."""
    async with service.context.database.owner_transaction() as connection:
        await connection.execute(sa.text(FILL), {"rows": ROWS})
        for number in range(10):
            sql = "INSERT INTO analytics.workflows (tenant_id, slug, name, status, revision) VALUES ('full', :slug, 'w', 'active', 1)"
            await connection.execute(sa.text(sql), {"slug": f"w-{number}"})
        await connection.execute(sa.text("ANALYZE analytics.executions"))
    return service


async def found(service: RunningService, tenant: str, **query: Any) -> list[str]:
    answer = await service.client(tenant, ["viewer"]).get("/api/v1/executions", params=query)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def test_a_text_finds_ids_keys_labels_workflows_and_error_messages(service: RunningService) -> None:
    ids = {name: uuid4() for name in ("keyed", "labelled", "failed", "other", "delivered")}
    await tell(service, WorkflowChanged(slug="onboarding", name="On", revision=1, status="active"), tenant="text")
    await tell(service, *life(id=ids["keyed"], key="Invoice 2026/17", labels={}, event_id=None), tenant="text")
    await tell(service, *life(id=ids["labelled"], labels={"customer": "Blue Harbour", "team": "hr"}, event_id=None), tenant="text")
    await tell(service, *life("failed", id=ids["failed"], labels={}, event_id=None), tenant="text")
    await tell(service, *life(id=ids["other"], workflow="onboarding", labels={}, event_id="order_9"), tenant="text")
    delivery = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
    await tell(service, *life(id=ids["delivered"], labels={}, event_id=delivery), tenant="text")
    names = {str(id_): name for name, id_ in ids.items()}
    texts = {
        str(ids["other"]): "other",
        delivery: "delivered",
        "Invoice 2026/1": "keyed",
        "harb": "labelled",
        "blue harbour": "labelled",
        "it broke": "failed",
        "boom": "failed",
        "onboard": "other",
        "order_": "other",
    }
    assert {text: [names[id_] for id_ in await found(service, "text", q=text)] for text in texts} == {t: [n] for t, n in texts.items()}
    for nothing in ("orderx", "%", "'", "blue | hr", "it & \\", "!hr"):
        assert set(await found(service, "text", q=nothing)) <= {str(ids["labelled"]), str(ids["failed"])}, nothing
    assert await found(service, "elsewhere", q="harb") == []
    assert await found(service, "text", q="harb", status="failed") == []


async def test_a_list_names_the_children_of_each_the_oldest_first_and_not_without_end(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent, lone = uuid4(), uuid4()
    called = [uuid4() for _ in range(3)]
    await tell(service, *life(id=parent, event_id=None), *life(id=lone, event_id=None), tenant="calling")
    for number, child in enumerate(called):
        await tell(service, *life(id=child, at=START + timedelta(minutes=3 - number), event_id=None, parent=parent), tenant="calling")
    await tell(service, *life(id=uuid4(), event_id=None, parent=parent), tenant="foreign")

    async def children() -> dict[str, list[str]]:
        answer = await service.client("calling", ["viewer"]).get("/api/v1/executions")
        return {item["id"]: item["children"] for item in answer.json()["items"]}

    oldest_first = [str(child) for child in reversed(called)]
    assert await children() == {str(parent): oldest_first, str(lone): [], **{child: [] for child in oldest_first}}
    assert set(await found(service, "calling", parent=str(parent))) == set(oldest_first)
    monkeypatch.setattr(listing, "CHILDREN_MOST", 2)
    assert (await children())[str(parent)] == oldest_first[:2]


async def test_several_statuses_are_asked_for_by_repeating_them_or_with_commas(service: RunningService) -> None:
    ids = {end: uuid4() for end in ("completed", "failed", "cancelled")}
    for end, id_ in ids.items():
        await tell(service, *life(end, id=id_), tenant="ends")
    for status in (["failed", "cancelled"], "failed,cancelled", ["failed", "cancelled,failed"]):
        assert set(await found(service, "ends", status=status)) == {str(ids["failed"]), str(ids["cancelled"])}
    wrong = await service.client("ends", ["viewer"]).get("/api/v1/executions", params={"status": "failed,lost"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/status/1")


async def test_a_version_is_that_of_its_workflow(full: RunningService) -> None:
    answer = await full.client("full", ["viewer"]).get("/api/v1/executions", params={"version": 2, "workflow": "w-3", "limit": 200})
    assert {(item["workflow"], item["version"]) for item in answer.json()["items"]} == {("w-3", 2)}
    alone = await full.client("full", ["viewer"]).get("/api/v1/executions", params={"version": 2})
    assert (alone.status_code, alone.json()["code"], alone.json()["errors"][0]["pointer"]) == (422, "workflow_missing", "/version")


async def test_pages_of_a_search_follow_each_other_without_a_gap_or_a_repeat(full: RunningService) -> None:
    seen: list[str] = []
    query: dict[str, Any] = {"q": "key-12", "limit": 200}
    while True:
        page = (await full.client("full", ["viewer"]).get("/api/v1/executions", params=query)).json()
        seen += [item["key"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert len(seen) == len(set(seen)) == len([n for n in range(1, ROWS + 1) if str(n).startswith("12")])
    assert seen == sorted(seen, key=lambda key: -int(key.removeprefix("key-")))


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(),
        Filter(workflow="w-3", version=1),
        Filter(statuses=("failed",)),
        Filter(key="key-77"),
        Filter(started_by="user-42"),
        Filter(labels={"team": "t7"}),
        Filter(q="key-1999"),
        Filter(q="event-1999"),
        Filter(q="s1950"),
        Filter(q="w-3"),
        Filter(q="code_3"),
        Filter(q="t"),
        Filter(q="nothing of the kind"),
    ],
    ids=lambda wanted: str(
        wanted.q or [value for value in (wanted.workflow, wanted.statuses, wanted.key, wanted.started_by, wanted.labels) if value]
    ),
)
async def test_no_question_reads_the_whole_table(full: RunningService, wanted: Filter) -> None:
    plans: list[str] = []
    async with full.context.transaction("full") as uow:

        class Explaining:
            """Executes, and asks for the plan of what reads executions."""

            async def execute(self, query: Any) -> Any:
                if "own_executions" in str(query.compile(dialect=uow.conn.dialect)):
                    plans.extend(row[0] for row in await uow.conn.execute(Explain(query)))
                return await uow.conn.execute(query)

        asking = UnitOfWork("full", Explaining(), uow.now)  # type: ignore[arg-type]
        for common in (listing.NO_WORDS, Words({"t": 1e6})):
            await children(asking, [row.id for row in await listed(asking, wanted, after=None, limit=51, common=common)])
    assert not [line for line in plans if "Seq Scan on executions" in line], "\n".join(plans)
    assert [line for line in plans if "Index" in line]


PLAIN = """
SELECT id::text FROM analytics.executions
WHERE tenant_id = 'full' AND labels ->> 'team' ~ ('^' || :word) AND (CAST(:workflow AS text) IS NULL OR workflow = :workflow)
ORDER BY started_at DESC, id DESC OFFSET :after LIMIT :most
"""


@pytest.mark.parametrize(("few", "walked"), [(50, 3_000), (50, 100), (50, 0), (3_000, 3_000), (0, 1_000_000)])
async def test_a_common_word_finds_the_same_whichever_way_it_is_looked_for(
    full: RunningService, monkeypatch: pytest.MonkeyPatch, few: int, walked: int
) -> None:
    monkeypatch.setattr(listing, "_FEW", few)
    monkeypatch.setattr(listing, "_WALKED", walked)
    monkeypatch.setattr(words, "TTL_S", 0.0)
    client = full.client("full", ["viewer"])
    for word, workflow, most in (("t", None, 50), ("t7", None, 7), ("t70", "w-0", 3), ("t99", None, 200)):
        query: dict[str, Any] = {"q": word, "limit": most} | ({} if workflow is None else {"workflow": workflow})
        for after in (0, most):
            page = (await client.get("/api/v1/executions", params=query)).json()
            async with full.context.database.owner_transaction() as connection:
                given = {"word": word, "workflow": workflow, "after": after, "most": most}
                expected = list((await connection.execute(sa.text(PLAIN), given)).scalars())
            assert [item["id"] for item in page["items"]] == expected, (word, workflow, after)
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]


async def test_a_word_that_statistics_say_is_common_is_found_by_looking_at_the_newest_alone(
    full: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No list of the index is read to its end for it; one that the newest do not hold is found all the same."""
    asked: list[str] = []
    whole = listing._few

    async def noted(uow: UnitOfWork, where: Any, condition: Any) -> Any:
        asked.append(str(condition))
        return await whole(uow, where, condition)

    monkeypatch.setattr(listing, "_few", noted)
    async with full.context.owner_transaction() as uow:
        common = await common_words(uow)
    assert (common.many(["t"]), common.many(["T"]), common.many(["t", "nobody"]), common.many([])) == (True, True, False, False)
    async with full.context.transaction("full") as uow:
        assert len(await listed(uow, Filter(q="t"), after=None, limit=51, common=common)) == 51
        assert [one for one in asked if "tsvector" in one] == []
        monkeypatch.setattr(listing, "_WALKED", 50)
        assert len(await listed(uow, Filter(q="t"), after=None, limit=51, common=common)) == 51
        assert len([one for one in asked if "tsvector" in one]) == 1
