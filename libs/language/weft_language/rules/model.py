"""A rule, as its author writes it."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, Field, Strict, model_validator
from pydantic_core import PydanticCustomError

from weft_language.model.part import ShortText, Text
from weft_language.rules.actions import Action, EmailAction, NotificationAction, Recipient
from weft_language.rules.conditions import Condition, FieldValueCondition, RoleBasedCondition
from weft_language.rules.trigger import RuleTrigger, field_expression

MAX_CONDITIONS: Final = 20
MAX_ACTIONS: Final = 20
MAX_RECIPIENTS: Final = 100
MAX_ATTRIBUTES: Final = 10
"""Recipients that are fields of what changed."""


class RuleFields(BaseModel):
    """What a rule says: what it watches, what has to hold, what is done, and whom it is for."""

    name: ShortText
    description: Annotated[Text, Strict()] = ""
    trigger: RuleTrigger
    conditions: Annotated[tuple[Condition, ...], Field(max_length=MAX_CONDITIONS)] = ()
    actions: Annotated[tuple[Action, ...], Field(min_length=1, max_length=MAX_ACTIONS)]
    recipients: Annotated[tuple[Recipient, ...], Field(max_length=MAX_RECIPIENTS)] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> RuleFields:
        for place, one in enumerate(self.conditions):
            if isinstance(one, FieldValueCondition):
                config = one.condition_config
                field_expression(self.trigger, config.field, config.wanted, f"conditions/{place}")
            if isinstance(one, RoleBasedCondition) and one.condition_config.field is None and self.trigger.source == "record":
                detail = f"`conditions/{place}` needs `field`: a row does not tell who changed it, so name the field that holds the roles"
                raise PydanticCustomError("missing", "{detail}", {"detail": detail})
        self._check_recipients()
        return self

    def _check_recipients(self) -> None:
        if sum(one.recipient_type == "attribute" for one in self.recipients) > MAX_ATTRIBUTES:
            raise PydanticCustomError("too_long", "at most {most} recipients are attributes", {"most": MAX_ATTRIBUTES})
        for place, action in enumerate(self.actions):
            if isinstance(action, NotificationAction) and not self.recipients:
                detail = f"`actions/{place}` needs recipients: a notification is for the rule's `recipients`"
                raise PydanticCustomError("missing", "{detail}", {"detail": detail})
            if isinstance(action, EmailAction) and not action.action_config.addresses and not self.addressed:
                detail = (
                    f"`actions/{place}` has nobody to go to: give `to`, or a recipient that is an address or an attribute; "
                    "users, roles and groups are told by a notification, by e-mail where they chose that"
                )
                raise PydanticCustomError("missing", "{detail}", {"detail": detail})

    @property
    def addressed(self) -> tuple[Recipient, ...]:
        """The recipients that a mail can go to."""
        return tuple(one for one in self.recipients if one.is_address)

    @property
    def tells_recipients(self) -> bool:
        """Whether any action is for the recipients."""
        mails = (one for one in self.actions if isinstance(one, EmailAction))
        return any(isinstance(one, NotificationAction) for one in self.actions) or any(not one.action_config.addresses for one in mails)
