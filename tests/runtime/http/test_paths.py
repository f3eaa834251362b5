"""Slashes in the parts of a path: one that is written `%2F` separates nothing."""

from typing import Any
from urllib.parse import quote

from hypothesis import example, given
from hypothesis import strategies as st
from weft_runtime.http.paths import kept_apart, whole

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def scope_of(raw: str, path: str) -> dict[str, Any]:
    return {"type": "http", "path": path, "raw_path": raw.encode()}


@given(TEXTS, TEXTS)
@example("a/b", "explain")
@example("%2F", "/")
def test_each_part_of_a_path_is_what_was_encoded_as_it(one: str, other: str) -> None:
    raw = f"/events/{quote(one, safe='')}/{quote(other, safe='')}"
    path: str = kept_apart(scope_of(raw, f"/events/{one}/{other}"))["path"]
    if "%2F" not in raw:
        assert path == f"/events/{one}/{other}"
    else:
        assert [whole(part) for part in path.split("/")] == ["", "events", one, other]


def test_a_path_without_an_encoded_slash_is_left_as_the_server_read_it() -> None:
    scope = scope_of("/a/b", "/a/b")
    assert kept_apart(scope) is scope
    assert kept_apart({"type": "http", "path": "/a", "raw_path": None})["path"] == "/a"


def test_small_letters_are_read_too() -> None:
    assert whole(kept_apart(scope_of("/a%2fb", "/a/b"))["path"].split("/")[1]) == "a/b"
