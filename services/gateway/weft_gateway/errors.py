"""What can go wrong at the edge, each with its stable code."""

from __future__ import annotations

from weft_runtime.errors import Conflict, Forbidden, Invalid, Malformed, NotFound, PreconditionFailed, RateLimited, Unauthenticated


class WrongCredentials(Unauthenticated):
    """The e-mail address or the password is wrong; never says which."""

    code = "wrong_credentials"


class RefreshRefused(Unauthenticated):
    """A refresh token that is unknown, used, expired or whose session is over; never says which."""

    code = "refresh_refused"


class TooManySignIns(RateLimited):
    """Too many failed sign-ins for one account from one address, from one address, or for one account from everywhere."""

    code = "too_many_sign_ins"


class RoleTooHigh(Forbidden):
    """A role that would give more than the one who gives it has."""

    code = "role_too_high"


class UserNotFound(NotFound):
    """No such person in this tenant."""

    code = "user_not_found"


class EmailTaken(Conflict):
    """The e-mail address belongs to a person already."""

    code = "email_taken"


class TenantTaken(Conflict):
    """The tenant exists already."""

    code = "tenant_taken"


class ApiKeyNotFound(NotFound):
    """No such API key in this tenant."""

    code = "api_key_not_found"


class TooManyConnections(RateLimited):
    """More live connections than one tenant or one process may hold."""

    code = "too_many_live_connections"


class TenantNotFound(NotFound):
    """No such tenant."""

    code = "tenant_not_found"


class TenantMoved(PreconditionFailed):
    """Somebody else changed the tenant first."""

    code = "tenant_moved"


class KeyMakesNoKey(Forbidden):
    """An API key tried to make another one."""

    code = "key_makes_no_key"


class OwnerInactive(Forbidden):
    """Somebody who was deactivated a moment ago tried to make an API key."""

    code = "owner_inactive"


class TooManyKeys(Conflict):
    """The tenant has as many API keys as one may have."""

    code = "too_many_api_keys"


class UserMoved(PreconditionFailed):
    """The person was changed since they were read."""

    code = "user_moved"


class GroupNotFound(NotFound):
    """No such group in this tenant."""

    code = "group_not_found"


class GroupTaken(Conflict):
    """The tenant has a group of this name already."""

    code = "group_taken"


class GroupMoved(PreconditionFailed):
    """The group, or who is in it, was changed since it was read."""

    code = "group_moved"


class TooManyGroups(Conflict):
    """The tenant has as many groups as one may have, or a person is in as many."""

    code = "too_many_groups"


class GroupFull(Conflict):
    """As many people are in the group as may be."""

    code = "group_full"


class NoSuchMembers(Invalid):
    """People who are to be in a group are none of this tenant."""

    code = "user_not_found"


class NotLetIn(Malformed):
    """A sign-in by an identity provider that came to nothing: its answer is not what was asked for. `code` says why."""

    code = "oidc_not_let_in"


class UnknownProvider(NotFound):
    """No identity provider of this name is set up."""

    code = "oidc_provider_not_found"


class IdentityTaken(Conflict):
    """The person of a provider, or their e-mail address, belongs to somebody else here. Nobody is signed in as another by either."""

    code = "oidc_identity_taken"
