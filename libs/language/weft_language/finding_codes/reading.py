"""Codes of layer 3: expressions, the steps they read, and the types of values."""

from typing import Final

from weft_language.finding_codes.code import FindingCode as Code

EXPRESSIONS: Final = (
    Code("expression_syntax", "error", "a text that is no expression, or conditions that are none", "mend it at the line and column"),
    Code("expression_function", "error", "a function that does not exist, or takes other arguments", "use one of docs/reference/cel.md"),
    Code("expression_limit", "error", "an expression that is too long or nested too deep", "split it: set variables before and read those"),
    Code("expression_arithmetic", "error", "a constant that cannot be computed: a division by zero, an overflow", "write one that can"),
    Code("expressions_too_large", "error", "more than 262,144 characters of expressions", "split the definition"),
    Code("template_in_expression", "error", "braces around what is an expression already", "take them off"),
    Code("unknown_name", "error", "a name that is not in scope here", "use a name of this place; texts stand in quotes"),
    Code("unknown_path", "error", "a member that `step.<id>`, `trigger`, `tenant` or `execution` never has", "use one it has"),
    Code("unknown_step", "error", "`step.<id>` of no node", "use the id of one"),
    Code("unknown_variable", "error", "`vars.<name>` that is set nowhere", "declare it in `vars`"),
    Code(
        "variable_may_be_unset",
        "warning",
        "a variable that is not set on every way",
        "give it a first value in `vars`, or use default(...)",
    ),
    Code(
        "unknown_input",
        "error, warning",
        "`input.<name>` that the schema does not list; an error where it refuses others",
        "add it to the schema",
    ),
    Code("integer_division", "info", "a division that drops the fraction of whole numbers", "write double(...) around one side"),
)

STEPS: Final = (
    Code(
        "step_never_before",
        "error, warning",
        "a step that cannot have run by then, in this iteration or branch",
        "read it later, or use default(...)",
    ),
    Code(
        "step_may_not_have_run", "warning", "a step that has not run on some way, which the message names", "use default(...) or has(...)"
    ),
    Code("output_of_failed_step", "error, warning", "an output read where its node has failed", "read `step.<id>.error`"),
    Code(
        "output_may_be_missing",
        "warning, info",
        "an output read where its node may have failed, or a branch's where not all need complete",
        "use default(...)",
    ),
    Code(
        "error_may_be_missing",
        "warning",
        "an error read where its node has not, or may not have failed",
        "read it on the `error` edge, or use has(...)",
    ),
    Code(
        "reads_newest_iteration",
        "info",
        "a step of a `foreach` body read from outside: only its newest run is seen",
        "read the output of the `foreach`",
    ),
)

TYPES: Final = (
    Code(
        "expression_type",
        "error, warning",
        "a value used as a kind it never is: calculating with texts, a condition that gives a number",
        "convert it",
    ),
    Code("expression_path", "error, warning", "a member read of what has none, such as a number", "read the value itself"),
    Code(
        "expression_value",
        "error",
        "a constant of the right kind that cannot be meant: a text that is no duration or time",
        "write one that can",
    ),
    Code(
        "unknown_property",
        "error, warning",
        "a member that a schema does not list; an error where there can be no other",
        "use one it lists",
    ),
    Code("never_equal", "warning", "a comparison whose sides are never equal", "compare with a value it can have"),
    Code(
        "trigger_input_refused", "warning", "an input built by a trigger that the input's schema always refuses", "add or convert the value"
    ),
)
