"""Rules: what a tenant's administrator writes (when something changes and conditions hold, tell these people), as an ordinary definition.

`RuleFields` is what a rule says, `compile_rule` the definition that it means, `looks` what an event makes of each of its conditions.
Pure: values in, values out.
"""

from weft_language.rules.actions import (
    Action,
    EmailAction,
    EmailConfig,
    NotificationAction,
    NotificationConfig,
    Recipient,
    WebhookAction,
    WebhookConfig,
)
from weft_language.rules.compiling import LABEL, Planned, compile_rule, place_in_rule, planned
from weft_language.rules.conditions import Condition, FieldValueCondition, RoleBasedCondition, TimeBasedCondition
from weft_language.rules.looking import Look, looks
from weft_language.rules.model import RuleFields
from weft_language.rules.trigger import RuleTrigger, event_type

__all__ = [
    "LABEL",
    "Action",
    "Condition",
    "EmailAction",
    "EmailConfig",
    "FieldValueCondition",
    "Look",
    "NotificationAction",
    "NotificationConfig",
    "Planned",
    "Recipient",
    "RoleBasedCondition",
    "RuleFields",
    "RuleTrigger",
    "TimeBasedCondition",
    "WebhookAction",
    "WebhookConfig",
    "compile_rule",
    "event_type",
    "looks",
    "place_in_rule",
    "planned",
]
