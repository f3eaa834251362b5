"""Weft's numbers, and the functions that Weft adds to CEL."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from weft_language.expressions import ExpressionError, compile_expression

NAMES: dict[str, Any] = {
    "input": {"amount": 1000, "rate": 1.5, "items": [{"p": 1, "q": 2}, {"p": 2.5, "q": 4}]},
    "now": datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
}


def evaluate(text: str) -> Any:
    return compile_expression(text).evaluate(NAMES)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("input.amount * 1.22", 1220.0),
        ("input.rate + 1", 2.5),
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("-7 % 3", -1),
        ("7 / 2.0", 3.5),
        ("1.0 / 0", float("inf")),
        ("1 == 1.0", True),
        ("2 > 1.5 && 1u < 1.5", True),
        ("true == 1", False),
        ("9223372036854775807 in [double(9223372036854775807)]", False),
        ("9007199254740992 == double(9007199254740992)", True),
        ("round(2.675, 2)", 2.68),
        ("round(-2.5, 0)", -3.0),
        ("round(1250, -2)", 1300),
        ("round(input.amount * 1.005, 2)", 1005.0),
        ("sum([1, 2, 3])", 6),
        ("sum([0.1, 0.2, 0.3])", 0.6),
        ("sum([])", 0),
        ("sum(input.items.map(i, i.p * i.q))", 12.0),
        ("avg([1, 2])", 1.5),
        ("json('{\"a\": [1, 2.5, null]}')", {"a": [1, 2.5, None]}),
        ("text(1220.0) + '|' + text([1, 'é']) + '|' + text(null)", '1220|[1, "é"]|null'),
        ("date('2026-03-01')", datetime(2026, 3, 1, tzinfo=UTC)),
        ("date('2026-03-01', 'Europe/Rome')", datetime(2026, 2, 28, 23, tzinfo=UTC)),
        ("date('2026-03-01T10:00:00Z', 'Europe/Rome')", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("format(now, '%d.%m.%Y %H:%M', 'Europe/Rome')", "20.11.2026 10:30"),
        ("format(now, '%A, %B %e')", "Friday, November 20"),
        ("format(now, 'dd.MM.yyyy HH:mm', 'Europe/Rome')", "20.11.2026 10:30"),
        ("format('2026-11-20T23:30:00Z', 'yyyy-MM-dd', 'Europe/Rome') + format('2026-11-20', ' %j')", "2026-11-21 324"),
        ("format(now, 'EEEE, d MMMM yy h:mm a')", "Friday, 20 November 26 9:30 AM"),
        ("format(now, \"yyyy-MM-dd'T'HH:mm:ss.SSSXXX 'o''clock'\", '+02:00')", "2026-11-20T11:30:00.000+02:00 o'clock"),
        ("format(now, 'YYYY-MM-DDTHH:mm:ssX xxx Z', 'UTC')", "2026-11-20T09:30:00Z +00:00 +0000"),
        ("now + duration('P1D') - now", timedelta(days=1)),
        ("duration('1h30m') == duration('PT1H30M')", True),
        ("[3, 1, 2].sort()", [1, 2, 3]),
        ("input.items.sortBy(i, -i.p).map(i, i.q)", [4, 2]),
        ("[[1], [2, [3]]].flatten()", [1, 2, [3]]),
        ("[1, 1.0, 'a', 'a', true].distinct()", [1, "a", True]),
        ("lists.range(3).reverse()", [2, 1, 0]),
        ("[1, 2, 3, 4].slice(1, 3)", [2, 3]),
        ("base64.encode(b'hi') + string(base64.decode('aGk='))", "aGk=hi"),
        ("math.bitShiftRight(-1, 60)", 15),
        ("{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v * 10)", {"b": 20}),
        ("[5, 6].transformList(i, v, i * v)", [0, 6]),
        ("[1, 2].exists(i, v, i == 1 && v == 2)", True),
    ],
)
def test_an_expression_gives_its_value(text: str, value: Any) -> None:
    found = evaluate(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1 / 0", "expression_arithmetic"),
        ("9223372036854775807 + 1", "expression_arithmetic"),
        ("'a' + 1", "expression_type"),
        ("input.amount > 'x'", "expression_type"),
        ("input.amount && true", "expression_type"),
        ("nope(1)", "expression_function"),
        ("'a'.trim(1, 2)", "expression_function"),
        ("uuid()", "expression_function"),
        ("timestamp('yesterday')", "expression_value"),
        ("avg([])", "expression_value"),
        ("'a'.matches('(')", "expression_value"),
        ("business_time(now, 'PT1H', 'office')", "unknown_calendar"),
        ("1 +", "expression_syntax"),
        ("input.amount = 1", "expression_syntax"),
    ],
)
def test_what_cannot_be_is_an_error_with_a_stable_code(text: str, code: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text)
    assert caught.value.code == code
    assert caught.value.expression == text
    assert caught.value.position is not None


@pytest.mark.parametrize("text", ["uuid()", "math.greatest()", "now.getHours('UTC', 'UTC')", "round()"])
def test_a_wrong_number_of_arguments_is_found_when_the_expression_is_compiled(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text)
    assert caught.value.code == "expression_function"


def test_a_wrong_pattern_is_found_when_the_expression_is_compiled() -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression("input.name.matches('a(')")
    assert (caught.value.code, caught.value.position) == ("expression_value", (1, 20))


def test_equal_seeds_give_equal_uuids() -> None:
    first = evaluate("uuid('order', 7)")
    assert first == evaluate("uuid('order', 3 + 4)")
    assert first != evaluate("uuid('order', '7')")
    assert first[14] == "5"


@pytest.mark.parametrize(
    ("start", "span", "calendar", "end"),
    [
        ("2026-11-20T16:00:00Z", "2h", "{}", datetime(2026, 11, 23, 10, tzinfo=UTC)),  # Friday afternoon to Monday
        ("2026-11-22T12:00:00Z", "PT1H", "{}", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2026-11-20T16:00:00Z", "2h", "{'holidays': ['2026-11-23']}", datetime(2026, 11, 24, 10, tzinfo=UTC)),
        ("2026-11-23T10:00:00Z", "-2h", "{}", datetime(2026, 11, 20, 16, tzinfo=UTC)),
        ("2026-10-23T14:30:00Z", "1h", "{'zone': 'Europe/Rome'}", datetime(2026, 10, 26, 8, 30, tzinfo=UTC)),  # over the change of time
        (
            "2026-11-21T08:00:00Z",
            "3h",
            "{'hours': {'sat': [['08:00', '10:00'], ['12:00', '13:00']]}}",
            datetime(2026, 11, 21, 13, tzinfo=UTC),
        ),
    ],
)
def test_business_time_counts_only_working_hours(start: str, span: str, calendar: str, end: datetime) -> None:
    assert evaluate(f"business_time(timestamp('{start}'), duration('{span}'), {calendar})") == end
    assert evaluate(f"business_time('{start}', '{span}', {calendar})") == end


@pytest.mark.parametrize(
    "calendar",
    [
        "{'hour': {}}",
        "{'zone': 'Mars'}",
        "{'hours': {'monday': []}}",
        "{'hours': {'mon': [['17:00', '09:00']]}}",
        "{'holidays': ['soon']}",
        "7",
    ],
)
def test_a_calendar_that_is_none_is_refused(calendar: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(f"business_time(now, 'PT1H', {calendar})")
