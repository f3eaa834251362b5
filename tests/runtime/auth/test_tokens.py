"""What a token must be to be believed, and every way known to forge one."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from weft_runtime.auth import Claims, SigningKey, SigningKeys, Verifier
from weft_runtime.auth.published import LocalSource
from weft_runtime.errors import Unauthenticated
from weft_runtime.testing import ManualClock, TestIssuer

from tests.support.effort import computing_at_most

CLOCK = ManualClock()


def verifier(issuer: TestIssuer, **given: Any) -> Verifier:
    return Verifier(issuer.source, issuer.clock, issuer="weft", audience="weft", **given)


@pytest.fixture
def issuer() -> TestIssuer:
    return TestIssuer(ManualClock())


async def refusal(checker: Verifier, token: str) -> str:
    with pytest.raises(Unauthenticated) as refused:
        await checker.caller(token)
    return refused.value.code


def claims(issuer: TestIssuer, **changed: Any) -> dict[str, Any]:
    now = int(issuer.clock.now().timestamp())
    said = {
        "iss": "weft",
        "aud": "weft",
        "sub": "u",
        "tenant": "acme",
        "roles": ["admin"],
        "exp": now + 60,
        "iat": now,
        "nbf": now,
        "jti": "j",
    }
    return {name: value for name, value in (said | changed).items() if value is not None}


def segment(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


async def test_a_good_token_names_its_caller(issuer: TestIssuer) -> None:
    token = issuer.token("acme", ["editor", "own-role"], sub="u1", groups=["finance"], email="a@b.c", name="Ann", token_id="t1")
    caller = await verifier(issuer).caller(token)
    assert (caller.sub, caller.tenant, caller.roles, caller.groups, caller.kind) == (
        "u1",
        "acme",
        ("editor", "own-role"),
        ("finance",),
        "person",
    )
    assert (caller.email, caller.name, caller.tier, caller.token_id) == ("a@b.c", "Ann", "standard", "t1")


async def test_an_api_key_is_a_caller_of_its_own_kind(issuer: TestIssuer) -> None:
    key = issuer.api_key("acme", ["service"], sub="k1", token_id="k1")
    caller = await verifier(issuer).caller(key)
    assert key.startswith("weft_")
    assert (caller.sub, caller.kind, caller.token_id) == ("k1", "key", "k1")


async def test_a_key_and_an_access_token_cannot_stand_in_for_each_other(issuer: TestIssuer) -> None:
    checker = verifier(issuer)
    assert await refusal(checker, issuer.api_key().removeprefix("weft_")) == "bad_token"
    assert await refusal(checker, "weft_" + issuer.token()) == "bad_token"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"iss": "evil"}, "wrong_issuer"),
        ({"iss": None}, "wrong_issuer"),
        ({"iss": ["weft"]}, "wrong_issuer"),
        ({"aud": "other"}, "wrong_audience"),
        ({"aud": None}, "wrong_audience"),
        ({"aud": ["other"]}, "wrong_audience"),
        ({"aud": {"weft": 1}}, "wrong_audience"),
        ({"exp": None}, "bad_token"),
        ({"exp": "9999999999"}, "bad_token"),
        ({"exp": True}, "bad_token"),
        ({"exp": 1e300}, "bad_token"),
        ({"nbf": "now"}, "bad_token"),
        ({"sub": None}, "bad_token"),
        ({"sub": ""}, "bad_token"),
        ({"sub": 7}, "bad_token"),
        ({"sub": "a\x00"}, "bad_token"),
        ({"tenant": None}, "bad_token"),
        ({"tenant": "A"}, "bad_token"),
        ({"tenant": "a.b"}, "bad_token"),
        ({"tenant": "*"}, "bad_token"),
        ({"tenant": "a" * 64}, "bad_token"),
        ({"roles": "admin"}, "bad_token"),
        ({"roles": [1]}, "bad_token"),
        ({"groups": {"a": 1}}, "bad_token"),
        ({"typ": "refresh"}, "bad_token"),
        ({"typ": "key"}, "bad_token"),
        ({"jti": 5}, "bad_token"),
    ],
)
async def test_claims_that_do_not_fit_are_refused(issuer: TestIssuer, changed: dict[str, Any], code: str) -> None:
    assert await refusal(verifier(issuer), issuer.keys.current.sign(claims(issuer, **changed))) == code


async def test_an_audience_among_others_is_enough(issuer: TestIssuer) -> None:
    assert (await verifier(issuer).caller(issuer.keys.current.sign(claims(issuer, aud=["x", "weft"])))).sub == "u"


async def test_times_are_kept_with_a_little_leeway(issuer: TestIssuer) -> None:
    clock, checker = issuer.clock, verifier(issuer)
    assert isinstance(clock, ManualClock)
    token = issuer.token(lifetime=timedelta(seconds=60))
    early = issuer.keys.current.sign(claims(issuer, nbf=int(clock.now().timestamp()) + 31))
    assert await refusal(checker, early) == "token_not_yet_valid"
    clock.advance(timedelta(seconds=89))
    await checker.caller(token)
    clock.advance(timedelta(seconds=2))
    assert await refusal(checker, token) == "token_expired"


def forged_none(issuer: TestIssuer) -> str:
    return f"{segment({'alg': 'none', 'kid': issuer.keys.current.kid})}.{segment(claims(issuer))}."


def forged_none_with_signature(issuer: TestIssuer) -> str:
    return f"{segment({'alg': 'none', 'kid': issuer.keys.current.kid})}.{segment(claims(issuer))}.{segment(b'x')}"


def forged_with_the_public_key_as_secret(issuer: TestIssuer) -> str:
    public = ECKey.import_key(issuer.keys.current.public()).as_pem(private=False)
    signed = f"{segment({'alg': 'HS256', 'kid': issuer.keys.current.kid})}.{segment(claims(issuer))}"
    return f"{signed}.{segment(hmac.new(public, signed.encode(), hashlib.sha256).digest())}"


def forged_with_its_own_key_inside(issuer: TestIssuer) -> str:
    key = SigningKey.generate()
    header = {"alg": "ES256", "kid": issuer.keys.current.kid, "jwk": key.public()}
    return jwt.encode(header, claims(issuer), key._key, algorithms=["ES256"])


def forged_with_a_key_elsewhere(issuer: TestIssuer) -> str:
    key = SigningKey.generate()
    header = {"alg": "ES256", "kid": issuer.keys.current.kid, "jku": "https://evil.example/jwks.json"}
    return jwt.encode(header, claims(issuer), key._key, algorithms=["ES256"])


def forged_with_another_key(issuer: TestIssuer) -> str:
    other = SigningKey.generate()
    other.kid = issuer.keys.current.kid
    return other.sign(claims(issuer))


def forged_by_changing_the_claims(issuer: TestIssuer) -> str:
    head, _, signature = issuer.token().split(".")
    return f"{head}.{segment(claims(issuer, tenant='victim'))}.{signature}"


def forged_with_an_empty_signature(issuer: TestIssuer) -> str:
    return issuer.token().rpartition(".")[0] + "."


def forged_with_zeroes(issuer: TestIssuer) -> str:
    return f"{issuer.token().rpartition('.')[0]}.{segment(bytes(64))}"


def forged_with_critical_extension(issuer: TestIssuer) -> str:
    head = {"alg": "ES256", "kid": issuer.keys.current.kid, "crit": ["b64"], "b64": False}
    return f"{segment(head)}.{segment(claims(issuer))}.{segment(bytes(64))}"


@pytest.mark.parametrize(
    "forge",
    [
        forged_none,
        forged_none_with_signature,
        forged_with_the_public_key_as_secret,
        forged_with_its_own_key_inside,
        forged_with_a_key_elsewhere,
        forged_with_another_key,
        forged_by_changing_the_claims,
        forged_with_an_empty_signature,
        forged_with_zeroes,
        forged_with_critical_extension,
    ],
)
async def test_a_forged_token_is_refused(issuer: TestIssuer, forge: Callable[[TestIssuer], str]) -> None:
    assert await refusal(verifier(issuer), forge(issuer)) == "bad_token"


@pytest.mark.parametrize("kid", ["", "../../etc/passwd", "a' OR 1=1", "a\n", "a" * 129, None, 7, ["x"], "http://evil.example/key"])
async def test_a_hostile_key_id_is_refused(issuer: TestIssuer, kid: Any) -> None:
    token = f"{segment({'alg': 'ES256', 'kid': kid})}.{segment(claims(issuer))}.{segment(bytes(64))}"
    assert await refusal(verifier(issuer), token) == "bad_token"


@given(st.text(max_size=300))
async def test_no_text_is_a_token(text: str) -> None:
    await refusal(verifier(TestIssuer(CLOCK)), text)


async def test_a_token_of_enormous_size_is_refused_at_once(issuer: TestIssuer) -> None:
    with computing_at_most(0.5):
        assert await refusal(verifier(issuer), "a" * 10_000_000) == "bad_token"


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [("EdDSA", OKPKey.generate_key("Ed25519")), ("RS256", RSAKey.generate_key(2048)), ("ES256", ECKey.generate_key("P-256"))],
)
async def test_keys_of_each_allowed_kind_are_believed_where_configured(issuer: TestIssuer, algorithm: str, key: Any) -> None:
    source = LocalSource(lambda: {"keys": [{**key.as_dict(private=False), "kid": "k", "use": "sig"}]})
    token = jwt.encode({"alg": algorithm, "kid": "k"}, claims(issuer), key, algorithms=[algorithm])
    given: dict[str, Any] = {"issuer": "weft", "audience": "weft"}
    assert (await Verifier(source, issuer.clock, **given).caller(token)).sub == "u"
    others = [name for name in ("ES256", "EdDSA", "RS256") if name != algorithm]
    assert await refusal(Verifier(source, issuer.clock, algorithms=others, **given), token) == "bad_token"


async def test_published_keys_that_are_weak_or_secret_are_not_used(issuer: TestIssuer) -> None:
    weak, shared, private = RSAKey.generate_key(1024), OctKey.generate_key(256), ECKey.generate_key("P-256")
    published = [
        {**weak.as_dict(private=False), "kid": "weak"},
        {**shared.as_dict(private=True), "kid": "shared"},
        {**private.as_dict(private=True), "kid": "private"},
        {**private.as_dict(private=False), "kid": "enc", "use": "enc"},
        {"kty": "EC", "crv": "P-256", "kid": "broken"},
        "no key",
    ]
    checker = Verifier(LocalSource(lambda: {"keys": published}), issuer.clock, issuer="weft", audience="weft")
    for kid, algorithm, key in (("weak", "RS256", weak), ("private", "ES256", private), ("enc", "ES256", private)):
        token = jwt.encode({"alg": algorithm, "kid": kid}, claims(issuer), key, algorithms=[algorithm])
        assert await refusal(checker, token) == "unknown_key"


def test_no_algorithm_but_those_of_the_list_can_be_configured(issuer: TestIssuer) -> None:
    for algorithm in ("none", "HS256", "RS1"):
        with pytest.raises(ValueError, match="not allowed"):
            verifier(issuer, algorithms=[algorithm])


def test_a_key_survives_its_file() -> None:
    key = SigningKey.generate()
    assert SigningKey.from_pem(key.to_pem()).kid == key.kid


def test_the_published_keys_hold_nothing_private() -> None:
    keys = SigningKeys(SigningKey.generate()).rotate()
    assert len(keys.jwks()["keys"]) == 2
    assert all("d" not in key and key["alg"] == "ES256" for key in keys.jwks()["keys"])
    assert keys.token(Claims("u", "acme"), CLOCK.now(), timedelta(hours=1)).count(".") == 2
