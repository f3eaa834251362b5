"""Microseconds per evaluation, beside Google's C++ runtime and cel-python: `python bench/expressions.py`.

Each is given the same whole context. Compiling is measured apart, without the cache.
"""

import timeit
from collections.abc import Callable
from typing import Any

import celpy
from cel_expr_python import cel
from celpy.adapter import json_to_cel
from weft_language.expressions import compile_expression, compile_template

CONTEXT: dict[str, Any] = {
    "trigger": {
        "type": "event",
        "payload": {
            "amount": 1500,
            "status": "open",
            "customer": {"tier": "gold", "country": "IT"},
            "items": [{"sku": f"s{n}", "price": n * 1.5, "quantity": n} for n in range(20)],
        },
    },
    "step": {f"s{n}": {"status": "completed", "output": {"label": "a", "score": 0.5, "text": "x" * 200}} for n in range(50)},
    "vars": {"limit": 1000, "rate": 2},
}
EXPRESSIONS = {
    "a path": "trigger.payload.amount",
    "one clause": "trigger.payload.amount > 1000",
    "three clauses": "trigger.payload.amount > 1000 && trigger.payload.status == 'open' && step.s7.output.label in ['a', 'b']",
    "five clauses": "trigger.payload.amount > vars.limit && trigger.payload.status == 'open' && trigger.payload.customer.tier != 'new'"
    " && has(step.s1.output.label) && trigger.payload.customer.country.startsWith('I')",
    "arithmetic": "trigger.payload.amount * vars.rate + 1",
    "exists of 20": "trigger.payload.items.exists(i, i.price > 28.0)",
    "map of 20": "trigger.payload.items.map(i, i.price)",
}
TEMPLATE = {"to": "{{ trigger.payload.customer.country }}", "subject": "Order {{ trigger.payload.amount }}", "plain": [1, "x"]}
ROUNDS = 5


def microseconds(call: Callable[[], object], seconds: float = 0.1) -> float:
    """The best of a few rounds."""
    timer = timeit.Timer(call)
    count = max(1, int(seconds / max(timer.timeit(1), 1e-7)))
    count = max(1, int(seconds / max(timer.timeit(min(count, 1000)) / min(count, 1000), 1e-7)))
    return min(timer.repeat(ROUNDS, count)) / count * 1e6


def google(text: str) -> Callable[[], object]:
    """Google's runtime through its binding."""
    environment = cel.NewEnv(variables=dict.fromkeys(CONTEXT, cel.Type.DYN))
    expression = environment.compile(text)
    return lambda: expression.eval(data=CONTEXT).plain_value()


def python(text: str) -> Callable[[], object]:
    """cel-python, its context converted beforehand."""
    environment = celpy.Environment()
    program = environment.program(environment.compile(text))
    context: Any = json_to_cel(CONTEXT)
    return lambda: program.evaluate(context)


def main() -> None:
    """Print the table."""
    print(f"{'µs per evaluation':20} {'Weft':>8} {'explain':>8} {'Google':>8} {'cel-python':>10} {'compile':>8}")
    for name, text in EXPRESSIONS.items():
        expression = compile_expression(text)
        ours = microseconds(lambda: expression.evaluate(CONTEXT))  # noqa: B023  # called before the next round
        explained = microseconds(lambda: expression.explain(CONTEXT))  # noqa: B023
        compiled = microseconds(lambda: compile_expression.__wrapped__(text))  # noqa: B023
        theirs, pythons = microseconds(google(text)), microseconds(python(text))
        print(f"{name:20} {ours:8.2f} {explained:8.1f} {theirs:8.1f} {pythons:10.1f} {compiled:8.0f}")
    template = compile_template(TEMPLATE)
    print(f"{'a template of two':20} {microseconds(lambda: template.render(CONTEXT)):8.2f}")


if __name__ == "__main__":
    main()
