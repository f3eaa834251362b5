"""What is sealed opens where it belongs and nowhere else, and says why it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_runtime.sealing import Envelope, Seal, SealBroken

SECRET = "the secret key of one installation"
ENVELOPE = Envelope(SECRET)
PLACES = st.fixed_dictionaries({"tenant": st.text(max_size=20), "connection": st.text(max_size=20), "field": st.text(max_size=20)})
HERE = {"tenant": "acme", "connection": "0190", "field": "token"}
SEALED = ENVELOPE.close("canary", **HERE)


@given(st.text(max_size=200), PLACES)
def test_what_is_sealed_opens_where_it_belongs(content: str, place: dict[str, str]) -> None:
    sealed = ENVELOPE.close(content, **place)
    assert Envelope(SECRET).open(sealed, **place) == content


@given(st.text(min_size=4, max_size=50))
def test_a_sealed_text_shows_nothing_and_is_another_one_each_time(content: str) -> None:
    once, again = (ENVELOPE.close(content, **HERE) for _ in range(2))
    assert once != again
    assert content not in once
    assert once.isascii()


@given(PLACES, PLACES)
def test_what_is_sealed_for_one_place_opens_at_no_other(here: dict[str, str], there: dict[str, str]) -> None:
    sealed = ENVELOPE.close("canary", **here)
    if here == there:
        assert ENVELOPE.open(sealed, **there) == "canary"
        return
    with pytest.raises(SealBroken) as refused:
        ENVELOPE.open(sealed, **there)
    assert refused.value.code == ("sealed_for_another_field" if here["tenant"] == there["tenant"] else "sealed_for_another_tenant")


@pytest.mark.parametrize("parts", [("a|b", "c", "d"), ("a", "b|c", "d"), ("1:a|1:b", "c", "d"), ("a", "b", "c|d")])
def test_no_two_places_are_written_alike(parts: tuple[str, str, str]) -> None:
    tenant, connection, field = parts
    sealed = ENVELOPE.close("canary", tenant="t", connection=f"{connection}|{field}", field=tenant)
    with pytest.raises(SealBroken):
        ENVELOPE.open(sealed, tenant="t", connection=connection, field=f"{field}|{tenant}")


def test_another_secret_key_is_named_and_does_not_open() -> None:
    other = Envelope("the secret key of another installation")
    with pytest.raises(SealBroken, match=f"{ENVELOPE.key_id}.*{other.key_id}") as refused:
        other.open(SEALED, **HERE)
    assert refused.value.code == "sealed_by_another_key"
    renamed = SEALED.replace(ENVELOPE.key_id, other.key_id)
    with pytest.raises(SealBroken) as forged:
        other.open(renamed, **HERE)
    assert forged.value.code == "sealed_for_another_tenant"


@given(st.integers(0, len(SEALED) - 1), st.sampled_from("abcXYZ019-_."))
def test_a_changed_text_never_opens(at: int, letter: str) -> None:
    changed = SEALED[:at] + letter + SEALED[at + 1 :]
    if changed == SEALED:
        return
    with pytest.raises(SealBroken) as refused:
        ENVELOPE.open(changed, **HERE)
    assert "canary" not in str(refused.value)


@given(st.text(max_size=60))
def test_what_is_no_sealed_text_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(SealBroken) as refused:
        ENVELOPE.open(f"SHOWN{text}", **HERE)
    assert refused.value.code in ("sealed_unreadable", "sealed_by_another_key")
    assert "SHOWN" not in str(refused.value)


def test_a_seal_of_another_purpose_does_not_open() -> None:
    sealed = Seal(SECRET, "one").close(b"canary", "about")
    assert Seal(SECRET, "one").open(sealed, "about") == b"canary"
    assert (Seal(SECRET, "two").open(sealed, "about"), Seal(SECRET, "one").open(sealed, "else")) == (None, None)


def test_the_newest_key_seals_and_all_open() -> None:
    newer = Envelope("the next secret key", SECRET)
    assert newer.open(SEALED, **HERE) == "canary"
    sealed = newer.close("fresh", **HERE)
    assert Envelope("the next secret key").open(sealed, **HERE) == "fresh"
    with pytest.raises(SealBroken) as refused:
        ENVELOPE.open(sealed, **HERE)
    assert refused.value.code == "sealed_by_another_key"
    with pytest.raises(SealBroken) as elsewhere:
        newer.open(SEALED, **HERE | {"tenant": "beta"})
    assert elsewhere.value.code == "sealed_for_another_tenant"


def test_what_an_earlier_key_sealed_is_sealed_anew_once() -> None:
    newer = Envelope("the next secret key", SECRET)
    renewed = newer.renewed(SEALED, **HERE)
    assert renewed is not None
    assert Envelope("the next secret key").open(renewed, **HERE) == "canary"
    assert newer.renewed(renewed, **HERE) is None
    with pytest.raises(SealBroken):
        Envelope("the next secret key").renewed(SEALED, **HERE)


def test_a_seal_opens_by_every_key_and_renews_by_the_newest() -> None:
    old = Seal(SECRET, "one").close(b"canary", "about")
    newer, alone = Seal("next", "one", (SECRET,)), Seal("next", "one")
    assert (newer.open(old, "about"), newer.open(old, "else"), alone.open(old, "about")) == (b"canary", None, None)
    renewed = newer.renewed(old, "about")
    assert renewed is not None
    assert (alone.open(renewed, "about"), newer.renewed(renewed, "about")) == (b"canary", None)
    with pytest.raises(SealBroken):
        alone.renewed(old, "about")
