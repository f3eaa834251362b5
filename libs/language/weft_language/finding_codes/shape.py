"""Codes of layer 1 and of authors' schemas."""

from typing import Final

from weft_language.finding_codes.code import FindingCode as Code

SHAPE: Final = (
    Code("required", "error", "a field is missing", "add it"),
    Code(
        "unknown_field",
        "error",
        "a field that the language does not know here",
        "correct its name, move it into `with`, or begin it with `x-`",
    ),
    Code("wrong_type", "error", "a value of the wrong JSON type", "write what the message asks for"),
    Code(
        "wrong_format",
        "error",
        "a text that has not the form it needs: an id, a slug, an address, an outcome",
        "write it as the message shows",
    ),
    Code("wrong_length", "error", "a text or list too short or too long", "shorten or fill it"),
    Code("out_of_range", "error", "a number outside of its range", "choose one within"),
    Code("not_allowed", "error", "a value that is not one of the listed", "use one of those"),
    Code("one_of", "error", "two fields of which exactly one is given", "give one"),
    Code("invalid_duration", "error", "a text that is no duration", "write 30s, 5m, 2h, 3d, PT30S or P2D"),
    Code("invalid_time", "error", "a text that is no time with an offset", "write it as 2026-11-20T09:00:00+01:00"),
    Code("invalid_cron", "error", "a text that is no cron expression of five fields, or is never due", "write 30 6 * * MON-FRI, or @daily"),
    Code("unknown_zone", "error", "a text that names no time zone", "write Europe/Rome, UTC or +02:00"),
    Code(
        "field_condition",
        "error",
        "a condition on a field of a row that cannot be read",
        "write {field: value}, or {field: {operator: value}}",
    ),
    Code("ends_before_starts", "error", "a schedule that ends before it starts", "let it end later"),
    Code("never_due", "warning", "a schedule that is not due once between `starts` and `ends`", "give it more time"),
    Code(
        "webhook_without_connection",
        "error",
        "a webhook whose calls are signed, without a connection that holds the secret",
        "name a `connection` of type webhook",
    ),
    Code("webhook_unsigned", "warning", "a webhook that anybody may call: `signature: none`", "let the sender sign its calls"),
    Code("webhook_signs_nothing", "warning", "a GET under a signature that covers the body alone", "let it be called by POST"),
    Code("slug_reserved", "error", "a slug that is an address of the API", "choose another"),
    Code("unknown_node_type", "error", "a node type that does not exist, of a node or of its `compensate`", "use a type of the catalog"),
    Code("unknown_trigger_kind", "error", "a trigger of an unknown kind", "use event, record, schedule, webhook, email or manual"),
    Code("bad_key", "error", "a member's name that is no text", "write a text"),
    Code("bad_text", "error", "a text with a NUL character or half a surrogate pair", "remove the character"),
    Code("not_finite", "error", "a number that is not finite", "write a number"),
    Code("not_json", "error", "a value that JSON does not have", "write a JSON value"),
    Code("too_deep", "error", "values nested over 100 levels, or graphs over 20", "flatten it, or call another workflow"),
    Code("too_large", "error", "more than 200,000 values", "split the definition"),
    Code("more_findings", "info", "there are more findings than are shown", "mend those shown first"),
)

SCHEMAS: Final = (
    Code("schema_invalid", "error", "not a JSON Schema 2020-12", "mend it at the pointer"),
    Code("schema_pattern", "error", "a pattern that cannot be used", "use RE2 syntax, without look-around and back-references"),
    Code(
        "schema_recursion", "error", "a schema whose check could take exponential time", "let it refer to itself once, through one member"
    ),
    Code("schema_reference", "error", "a `$ref` that leads nowhere", "define it under `$defs`"),
    Code("schema_remote_reference", "error", "a `$ref` that leaves the document", "copy the schema under `$defs`"),
    Code("schema_too_large", "error", "more than 5,000 values in one schema", "make it smaller"),
    Code("input_not_object", "error", "an input schema that accepts no object", "use type object"),
)
