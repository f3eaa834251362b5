"""The edge's rules, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from statemachine.exceptions import TransitionNotAllowed
from weft_contracts.alerts import AlertRaised, AlertResolved
from weft_contracts.executions import ExecutionCompleted, ExecutionSkipped, ExecutionStarted
from weft_contracts.notifications import NotificationCreated, NotificationsRead
from weft_contracts.service_levels import ExecutionSlaBreached, ExecutionSlaSet, ExecutionSlaWarned
from weft_contracts.tasks import TaskClaimed
from weft_gateway import domain, feed, keyring, passwords
from weft_gateway.attempts import LIMITS, Failures, Kind, wait_s
from weft_gateway.domain import Session, User
from weft_gateway.errors import RoleTooHigh
from weft_gateway.feed import FeedItem, UnknownTopic
from weft_gateway.keyring import KeyLocked, Vault, key_set
from weft_gateway.machine import ENDS, EVENTS, HARMLESS, MOVES, SessionMachine, SessionStatus
from weft_gateway.openapi import merge
from weft_runtime.auth import Caller

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
USER = User(UUID(int=1), "acme", "ann@acme.example", "Ann", NOW, NOW, ("approver",))
SESSION = Session(UUID(int=2), "acme", USER.id, NOW, NOW + timedelta(days=30))


@pytest.mark.parametrize(("status", "move"), [(status, move) for status in SessionStatus for move in EVENTS])
def test_every_move_of_a_session_is_legal_harmless_or_refused(status: SessionStatus, move: str) -> None:
    machine = SessionMachine(start_value=status)
    if (status, move) in MOVES:
        machine.send(move)
        assert machine.current_state_value == MOVES[status, move]
    else:
        with pytest.raises(TransitionNotAllowed):
            machine.send(move)
        assert ((status, move) in HARMLESS) is (move != "refresh")
    if (status, move) in HARMLESS:
        over = replace(SESSION, status=status)
        assert domain.over(over, move, NOW) is over


def test_what_is_over_stays_over() -> None:
    assert {status for status, _ in HARMLESS} == set(ENDS)


@pytest.mark.parametrize(
    ("session", "used", "user", "status", "goes_on"),
    [
        (SESSION, False, USER, SessionStatus.ACTIVE, True),
        (SESSION, True, USER, SessionStatus.REVOKED, False),
        (SESSION, False, None, SessionStatus.REVOKED, False),
        (SESSION, False, replace(USER, active=False), SessionStatus.REVOKED, False),
        (replace(SESSION, expires_at=NOW), False, USER, SessionStatus.EXPIRED, False),
        (replace(SESSION, status=SessionStatus.ENDED), False, USER, SessionStatus.ENDED, False),
    ],
)
def test_a_session_goes_on_only_for_an_unused_token_of_an_active_person(
    session: Session, used: bool, user: User | None, status: SessionStatus, goes_on: bool
) -> None:
    after, allowed = domain.present(session, used=used, user=user, now=NOW)
    assert (after.status, allowed) == (status, goes_on)


def test_nobody_gives_a_role_that_may_do_more_than_they_may() -> None:
    assert domain.allow_roles(["editor", "editor", "of-ours"], ["admin"]) == ("editor", "of-ours")
    for wanted, giver in [("admin", "editor"), ("operator", "admin"), ("service", "viewer")]:
        with pytest.raises(RoleTooHigh):
            domain.allow_roles([wanted], [giver])


def test_a_change_that_changes_nothing_says_nothing() -> None:
    same = domain.change_user(USER, NOW, name="Ann", roles=("approver",), groups=(), active=True)
    assert (same.state, same.says) == (USER, ())
    changed = domain.change_user(USER, NOW, name="Anna", roles=("approver",), groups=(), active=True)
    assert (changed.state.revision, len(changed.says)) == (2, 1)


@pytest.mark.parametrize("kind", LIMITS)
def test_whoever_failed_too_often_waits_for_the_end_of_the_window(kind: Kind) -> None:
    limit, ends_at = LIMITS[kind], NOW + LIMITS[kind].window
    assert wait_s([Failures(one, LIMITS[one].failures, ends_at) for one in LIMITS], NOW) == 0
    over = [Failures(kind, limit.failures + 1, ends_at)]
    assert wait_s(over, NOW) == limit.window.total_seconds()
    assert wait_s(over, ends_at - timedelta(milliseconds=1)) == 1
    assert bool(wait_s(over, NOW, known=True)) is (kind != "account")


async def test_a_password_matches_only_its_own_hash_and_nobody_never() -> None:
    phc = await passwords.hashed("correct horse battery")
    assert phc.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert await passwords.matches("correct horse battery", phc)
    assert not await passwords.matches("wrong", phc)
    assert not await passwords.matches("anything", None)
    assert not await passwords.matches("anything", "no hash at all")
    assert not passwords.outdated(phc)


def test_a_signing_key_opens_with_its_own_secret_only() -> None:
    vault = Vault("one secret, long enough to be one")
    stored = vault.make(NOW)
    assert vault.open(stored).kid == stored.kid
    assert b"PRIVATE" not in stored.sealed
    with pytest.raises(KeyLocked):
        Vault("another secret, as long as the first").open(stored)
    with pytest.raises(KeyLocked):
        vault.open(replace(stored, kid="another"))


def test_a_public_key_is_published_until_no_token_of_its_can_live() -> None:
    stored = Vault("one secret, long enough to be one").make(NOW)
    assert key_set([stored], NOW + timedelta(days=domain.API_KEY_MAX_DAYS) + keyring.ROTATE_AFTER)["keys"] == [stored.public]
    assert key_set([stored], stored.publish_until)["keys"] == []


def topics(text: str = "", role: str = "admin") -> feed.Topics:
    """The topics of a query, for somebody with this role."""
    return feed.topics(text.split(","), Caller("ann", "acme", (role,)))


def test_topics_are_kinds_and_single_things() -> None:
    execution, task = uuid4(), uuid4()
    wanted = topics(f"tasks,executions/{execution}")
    same = {"workflow": "leave", "node": "n", "task_version": 2, "at": NOW, "assignee": "ann"}
    claimed = TaskClaimed(task_id=task, execution_id=execution, **same)
    begun = ExecutionStarted(execution_id=execution, workflow="leave", workflow_version=1, position=1, at=NOW, trigger_type="event")
    other = begun.model_copy(update={"execution_id": uuid4()})
    shown = feed.items([("acme", claimed), ("acme", begun), ("acme", other)])
    assert [wanted.want(item) for item in shown] == [True, True, False]
    assert topics(f"executions/{execution}").want(shown[0])
    assert all(topics().want(item) for item in shown)


@pytest.mark.parametrize("text", ["weather", "executions/none", "tasks/", ",".join(f"tasks/{uuid4()}" for _ in range(21))])
def test_a_topic_nobody_publishes_is_refused(text: str) -> None:
    with pytest.raises(UnknownTopic):
        topics(text)


def test_a_topic_needs_the_right_to_read_the_same_by_its_route_and_everything_is_what_one_may_read() -> None:
    assert topics(role="service").names == ["executions", "notifications", "tasks"]
    assert topics().names == ["alerts", "executions", "notifications", "tasks"]
    assert topics("queues").names == ["queues"]
    with pytest.raises(feed.TopicRefused):
        topics(f"tasks,alerts/{uuid4()}", role="service")
    assert topics("tasks,queues").refused_to(Caller("ann", "acme", ("service",))) == ["queues"]


def test_a_notification_is_shown_to_whom_it_is_for_and_to_nobody_else_of_the_tenant() -> None:
    about = uuid4()
    items = [
        FeedItem("acme", "notifications", about, about, "notification.created", data) for data in ({"user": "ann"}, {"user": "bob"}, {})
    ]
    mine = topics("notifications").plus(topics("tasks")).minus(feed.read_topics(["tasks"]))
    assert [mine.want(item) for item in items] == [True, False, False]
    assert not any(feed.read_topics(["notifications"]).want(item) for item in items)


def test_of_many_facts_about_one_thing_in_a_batch_the_last_is_shown() -> None:
    id_ = uuid4()
    same = {"execution_id": id_, "workflow": "leave", "workflow_version": 1, "trigger_type": "event"}
    begun = ExecutionStarted(**same, position=1, at=NOW)
    done = ExecutionCompleted(**same, position=2, at=NOW, started_at=NOW, duration_ms=3)
    skipped = ExecutionSkipped(execution_id=uuid4(), workflow="leave", key="k", live_execution_id=id_)
    shown = feed.items([("acme", begun), ("acme", skipped), ("acme", done), ("other", begun)])
    assert [(item.tenant, item.type, item.data.get("status")) for item in shown] == [
        ("acme", "execution.skipped", None),
        ("acme", "execution.completed", "completed"),
        ("other", "execution.started", "running"),
    ]


def test_alerts_are_shown_under_their_topic_and_what_ends_tell_of_numbers_is_not() -> None:
    same = {"alert_id": uuid4(), "rule_id": uuid4(), "rule": "r", "kind": "failed", "workflow": "leave", "summary": "it failed", "at": NOW}
    raised, resolved = AlertRaised(**same), AlertResolved(**same, raised_at=NOW)
    first, last = (feed.items([("acme", fact)])[0] for fact in (raised, resolved))
    assert [(item.kind, item.about, item.type) for item in (first, last)] == [
        ("alerts", same["alert_id"], "alert.raised"), ("alerts", same["alert_id"], "alert.resolved"),
    ]  # fmt: skip
    assert first.data["summary"] == "it failed"
    assert [topics(topic).want(first) for topic in ("alerts", f"alerts/{same['alert_id']}", "executions")] == [True, True, False]
    about = {
        "execution_id": uuid4(),
        "workflow": "leave",
        "workflow_version": 1,
        "position": 2,
        "at": NOW,
        "started_at": NOW,
        "duration_ms": 3,
    }
    told = ExecutionCompleted(**about, walk="a:1", path=("a",), steps=(("a", 1, 0, 0, 0, (1, 1), ()),))
    (ended,) = feed.items([("acme", told)])
    assert not {"walk", "path", "steps"} & ended.data.keys()


def test_notifications_are_shown_to_whom_they_are_for_and_to_nobody_else() -> None:
    one, two = (
        NotificationCreated(notification_id=uuid4(), user=user, event="task.assigned", title="T", unread=1, at=NOW)
        for user in ("ann", "bob@acme.example")
    )
    read = NotificationsRead(user="ann", unread=0, at=NOW)
    shown = feed.items([("acme", one), ("acme", two), ("acme", read), ("acme", read)])
    assert [(item.kind, item.type, item.data["user"]) for item in shown] == [
        ("notifications", "notification.created", "ann"),
        ("notifications", "notification.created", "bob@acme.example"),
        ("notifications", "notification.read", "ann"),
    ]
    ann, bob = Caller("ann", "acme", ("admin",)), Caller("key", "acme", ("admin",), email="Bob@acme.example")
    for several in ("", "notifications", f"notifications/{one.notification_id},notifications/{two.notification_id}"):
        assert [feed.topics(several.split(","), ann).want(item) for item in shown[:2]] == [True, False]
        assert [feed.topics(several.split(","), bob).want(item) for item in shown[:2]] == [False, True]
    assert feed.topics(["notifications"], ann).want(shown[2])
    assert not feed.topics(["tasks", "executions"], ann).want(shown[0])


def test_how_an_sla_stands_is_shown_beside_how_its_execution_does() -> None:
    same = {"execution_id": uuid4(), "workflow": "leave", "workflow_version": 1, "at": NOW}
    begun = ExecutionStarted(**same, position=1, trigger_type="event")
    promised = ExecutionSlaSet(**same, position=1, due_at=NOW, warn_at=NOW)
    warned, breached = ExecutionSlaWarned(**same, position=2, due_at=NOW), ExecutionSlaBreached(**same, position=3, due_at=NOW)
    none = ExecutionSlaSet(**same, position=4)
    one_by_one = [feed.items([("acme", fact)])[0].data["sla"] for fact in (promised, warned, breached, none)]
    assert one_by_one == ["on_track", "warned", "breached", None]
    together = feed.items([("acme", begun), ("acme", promised), ("acme", warned)])
    assert [(item.type, item.data.get("status"), item.data.get("sla")) for item in together] == [
        ("execution.started", "running", None),
        ("execution.sla_warned", None, "warned"),
    ]
    assert all(topics(topic).want(item) for topic in ("executions", f"executions/{same['execution_id']}") for item in together)


def test_descriptions_are_merged_and_what_differs_is_kept_apart() -> None:
    def document(path: str, problem: str, shape: str) -> dict[str, object]:
        itself = {"$ref": "#/components/schemas/View"}
        answer = {"content": {"application/json": {"schema": itself}}}
        return {
            "paths": {path: {"get": {"operationId": "read", "responses": {"200": answer}}}},
            "components": {
                "schemas": {"Problem": {"type": problem}, "View": {"title": shape, "items": {"$ref": "#/components/schemas/View"}}}
            },
        }

    documents = {"a": document("/a", "object", "A"), "b": document("/b", "object", "B")}
    merged = merge(documents, title="T", version="1", description="")
    schemas = merged["components"]["schemas"]
    assert set(schemas) == {"Problem", "View", "View_b"}
    shown = merged["paths"]["/b"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    assert shown == schemas["View_b"]["items"]["$ref"] == "#/components/schemas/View_b"
    assert [merged["paths"][path]["get"]["operationId"] for path in ("/a", "/b")] == ["read", "read_b"]
    assert (merged["openapi"], list(merged["paths"])) == ("3.1.0", ["/a", "/b"])
