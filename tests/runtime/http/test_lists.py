import uuid
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_runtime.errors import Malformed
from weft_runtime.http.cursors import Cursors
from weft_runtime.testing import RunningService

SCOPE = ["acme", "/api/v1/things", "status", "open"]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
    st.uuids(),
    st.datetimes(timezones=st.just(UTC)),
    st.dates(),
    st.decimals(allow_nan=False, allow_infinity=False),
)


@given(st.lists(VALUES, max_size=4))
def test_a_cursor_gives_back_the_key_it_was_made_of(key: list[object]) -> None:
    cursors = Cursors("secret")
    assert cursors.read(cursors.make(key, SCOPE), SCOPE) == tuple(key)


@given(st.text(max_size=200))
def test_a_made_up_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Malformed, match="cursor"):
        Cursors("secret").read(cursor, SCOPE)


@given(st.integers(0, 500), st.integers(0, 7))
def test_a_cursor_that_was_changed_is_refused(position: int, bit: int) -> None:
    cursors = Cursors("secret")
    cursor = cursors.make([datetime(2026, 1, 1, tzinfo=UTC), uuid.UUID(int=7), Decimal("1.5"), date(2026, 1, 1)], SCOPE)
    changed = bytearray(cursor.encode())
    changed[position % len(changed)] ^= 1 << bit
    if changed.decode("latin-1") == cursor:
        return
    with pytest.raises(Malformed):
        cursors.read(changed.decode("latin-1"), SCOPE)


def test_a_cursor_fits_only_the_list_and_the_installation_it_was_made_for() -> None:
    cursor = Cursors("secret").make([1], SCOPE)
    for other in (["other", *SCOPE[1:]], SCOPE[:-1], [*SCOPE, ""], ["acme/api/v1/things", "", "status", "open"]):
        with pytest.raises(Malformed):
            Cursors("secret").read(cursor, other)
    with pytest.raises(Malformed):
        Cursors("another secret").read(cursor, SCOPE)


async def test_a_list_is_read_page_by_page_without_gap_or_repeat(sample: RunningService, tenant: str) -> None:
    client = sample.client(tenant)
    for number in range(7):
        await client.post("/api/v1/notes", json={"title": f"n{number}", "stars": number})
    seen: list[str] = []
    query: str | None = "/api/v1/notes?limit=3&least=1"
    while query is not None:
        page = (await client.get(query)).json()
        seen += [item["title"] for item in page["items"]]
        query = f"/api/v1/notes?limit=3&least=1&cursor={page['next_cursor']}" if page["next_cursor"] else None
    assert sorted(seen) == [f"n{number}" for number in range(1, 7)]


async def test_a_cursor_from_elsewhere_is_refused(sample: RunningService, tenant: str) -> None:
    client = sample.client(tenant)
    for number in range(3):
        await client.post("/api/v1/notes", json={"title": f"n{number}"})
    cursor = (await client.get("/api/v1/notes?limit=1")).json()["next_cursor"]
    assert (await client.get(f"/api/v1/notes?limit=2&cursor={cursor}")).status_code == 200
    for answer in (
        await client.get(f"/api/v1/notes?limit=1&title=n1&cursor={cursor}"),
        await sample.client(tenant + "-2").get(f"/api/v1/notes?limit=1&cursor={cursor}"),
        await client.get(f"/api/v1/notes?cursor={cursor}x"),
        await client.get(f"/api/v1/notes?cursor={cursor[:-4]}"),
        await client.get("/api/v1/notes?cursor=%F0%9F%98%80"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")


def test_a_cursor_of_the_key_before_is_read_and_none_is_made_by_it() -> None:
    newer = Cursors("next", "secret")
    assert newer.read(Cursors("secret").make([1], SCOPE), SCOPE) == (1,)
    assert Cursors("next").read(newer.make([2], SCOPE), SCOPE) == (2,)
    with pytest.raises(Malformed):
        Cursors("secret").read(newer.make([3], SCOPE), SCOPE)
