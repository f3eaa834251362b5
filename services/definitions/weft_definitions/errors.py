"""What can go wrong with a workflow."""

from __future__ import annotations

from weft_runtime.errors import Conflict, Invalid, Malformed, NotFound, PreconditionFailed, Unavailable


class WorkflowNotFound(NotFound):
    """This tenant has no such workflow."""

    code = "workflow_not_found"


class RuleNotFound(NotFound):
    """This tenant has no such rule."""

    code = "rule_not_found"


class BacktestNotFound(NotFound):
    """The workflow has no such backtest, or not any more."""

    code = "backtest_not_found"


class VersionNotFound(NotFound):
    """The workflow has no such version."""

    code = "version_not_found"


class TemplateNotFound(NotFound):
    """This tenant sees no such template."""

    code = "template_not_found"


class TemplateVersionNotFound(NotFound):
    """The template has no such version."""

    code = "template_version_not_found"


class NodeTypeNotFound(NotFound):
    """The catalog has no such type of node."""

    code = "node_type_not_found"


class SlugTaken(Conflict):
    """Another workflow of the tenant has this slug."""

    code = "slug_taken"


class TemplateTaken(Conflict):
    """Another template that the tenant sees has this slug."""

    code = "template_taken"


class TooManyTemplates(Conflict):
    """The tenant has as many templates as it may."""

    code = "too_many_templates"


class ManagedByRule(Conflict):
    """The workflow is that of a rule, and changes with it alone."""

    code = "managed_by_rule"


class BacktestsOpen(Conflict):
    """As many backtests of the tenant are under way as may be."""

    code = "backtests_open"


class IllegalMove(Conflict):
    """The lifecycle does not allow this from where the workflow stands."""

    code = "illegal_move"


class NotActive(Conflict):
    """The version named is not the active one."""

    code = "version_not_active"


class ExecutionsLive(Conflict):
    """The workflow still has live executions."""

    code = "executions_live"


class EditedSince(PreconditionFailed):
    """`If-Match` names a state of the workflow that has passed."""

    code = "edited_since"


class InvalidDefinition(Invalid):
    """The definition has errors; each is in `errors` with its pointer and how to mend it."""

    code = "invalid_definition"


class TemplateInvalid(Invalid):
    """The template, or the workflow that its example makes, has errors; each is in `errors`."""

    code = "invalid_template"


class ParametersInvalid(Invalid):
    """What a workflow is to be made by does not fit the template; each fault is in `errors`."""

    code = "invalid_parameters"


class TierTooLow(Invalid):
    """What is asked for is for tenants of a higher tier."""

    code = "tier_too_low"


class NotCarriedOver(Invalid):
    """What was sent has parts without an equal, so that its definition would mean something else; each is in `errors`."""

    code = "not_carried_over"


class InvalidRule(Invalid):
    """The rule has errors; each is in `errors` with its pointer and how to mend it."""

    code = "invalid_rule"


class NotExecutable(Invalid):
    """The definition is valid and asks for what the engine cannot execute yet."""

    code = "not_executable"


class SlugMismatch(Invalid):
    """The definition names another slug than the address."""

    code = "slug_mismatch"


class InvalidRequest(Invalid):
    """The body is neither a definition nor one in its wrapping."""

    code = "invalid_request"


class UnsupportedMediaType(Invalid):
    """The body is neither JSON nor YAML by its content type. 415."""

    status, code = 415, "unsupported_media_type"


class Unreadable(Malformed):
    """The body is neither JSON nor YAML as its type says."""

    code = "unreadable_document"


class Unanswered(Unavailable):
    """The service that would know has not answered in time."""

    code = "unanswered"
