"""Reading names: paths, what is missing, references."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from weft_language.expressions import ExpressionError, compile_expression, int_divisions

NAMES: dict[str, Any] = {
    "step": {"classify": {"output": {"label": "invoice", "a-b": 1, "scores": [0.5, 0.75]}, "status": "completed"}},
    "input": {"amount": 1000, "note": None, "package": "box"},
}


def evaluate(text: str, names: Mapping[str, Any] = NAMES) -> Any:
    return compile_expression(text).evaluate(names)


class Lazy(Mapping[str, Any]):
    """Names that are made when they are read, and that remember which were."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __getitem__(self, key: str) -> Any:
        self.read.append(key)
        return NAMES[key]

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("step.classify.output.label", "invoice"),
        ("step.classify.output['a-b']", 1),
        ("step.classify.output.`a-b`", 1),
        ("step['classify']['output'].scores[1]", 0.75),
        ("input.package", "box"),
        ("input.note", None),
        ("default(input.missing, 'none')", "none"),
        ("default(step.gone.output.total, 0) + 1", 1),
        ("default(input.note, 'none')", None),
        ("default(step.classify.output.scores[7], 1.5)", 1.5),
        ("has(step.gone.output.total)", False),
        ("has(input.note)", True),
        ("has(input.amount.cents)", False),
        ("has(step.classify.output.scores[1])", True),
    ],
)
def test_a_path_gives_what_stands_there(text: str, value: Any) -> None:
    assert evaluate(text) == value


@pytest.mark.parametrize(
    ("text", "path", "says"),
    [
        ("step.classify.output.lable", "step.classify.output.lable", "did you mean `label`?"),
        ("step.check.output.label", "step.check.output.label", '`step` has no "check" (there is classify)'),
        ("order.total", "order.total", "no name `order` in scope (there is step, input)"),
        ("input.note.length", "input.note.length", "`input.note` is null and has no fields"),
        ("input.amount.cents", "input.amount.cents", "`input.amount` is an int and has no fields"),
        ("step.classify.output.scores[2]", "step.classify.output.scores[2]", "ends at index 1"),
        ("step.classify.output.scores[0].x", "step.classify.output.scores[0].x", "is a double"),
        ("[{'a': 1}].map(item, item.b)", "item.b", '`item` has no "b" (there is a)'),
    ],
)
def test_a_missing_path_is_named_in_full_with_what_is_there_instead(text: str, path: str, says: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text)
    assert (caught.value.code, caught.value.path) == ("expression_path", path)
    assert f"`{path}` does not exist" in caught.value.message
    assert says in caught.value.message


def test_an_error_tells_the_line_and_column_of_what_failed() -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate("input.amount > 0\n  && input.amount + 'x' == 1")
    assert caught.value.position == (2, 6)
    assert caught.value.code == "expression_type"
    assert "line 2, column 6" in str(caught.value)


def test_only_the_names_that_are_read_are_touched() -> None:
    names = Lazy()
    assert evaluate("input.amount > 10 && input.amount < 2000", names) is True
    assert names.read == ["input", "input"]


@pytest.mark.parametrize("text", ["input.amount.__class__", "''.__class__", "input.__init__", "[].append", "step.keys", "{}.items"])
def test_no_attribute_of_python_can_be_reached(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text)
    assert caught.value.code == "expression_path"


@pytest.mark.parametrize(
    ("text", "required", "optional"),
    [
        ("step.a.output.label == input.x", {("step", "a", "output", "label"), ("input", "x")}, set()),
        ("default(step.a.output, input.y)", {("input", "y")}, {("step", "a", "output")}),
        ("has(step.a.output) && step.a.output.x > 1", set(), {("step", "a", "output"), ("step", "a", "output", "x")}),
        ("input.items[0].id", {("input", "items", "0", "id")}, set()),
        ("input.items[input.at].id", {("input", "items"), ("input", "at")}, set()),
        ("input.items.map(item, item.price * vars.rate)", {("input", "items"), ("vars", "rate")}, set()),
        ("math.greatest(input.a, 1) + size(vars.b['c'])", {("input", "a"), ("vars", "b", "c")}, set()),
        ("type(input.a) == int", {("input", "a")}, set()),
        ("google.protobuf.Timestamp == type(now)", {("now",)}, set()),
    ],
)
def test_references_are_the_paths_an_expression_reads(text: str, required: set[Any], optional: set[Any]) -> None:
    expression = compile_expression(text)
    assert expression.references == required
    assert expression.optional_references == optional


@pytest.mark.parametrize(
    ("text", "divisions"),
    [
        ("7 / 2", ("7 / 2",)),
        ("input.amount / 2 > input.b / input.c", ("input.amount / 2", "input.b / input.c")),
        ("input.amount / 2.0", ()),
        ("double(input.amount) / 2", ()),
        ("input.amount * 1.5 / 2", ()),
    ],
)
def test_divisions_that_may_truncate_are_pointed_out(text: str, divisions: tuple[str, ...]) -> None:
    assert int_divisions(compile_expression(text)) == divisions


def test_a_compiled_expression_is_kept() -> None:
    assert compile_expression("input.amount + 1") is compile_expression("input.amount + 1")
