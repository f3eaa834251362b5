"""Who asks and what they may do: tokens verified, callers, permissions, roles; signing for the one who gives tokens out."""

from weft_runtime.auth.caller import Caller
from weft_runtime.auth.permissions import ROLES, Permission, Role, kept_roles, permissions_of
from weft_runtime.auth.signing import API_KEY_PREFIX, Claims, SigningKey, SigningKeys
from weft_runtime.auth.verify import Verifier

__all__ = [
    "API_KEY_PREFIX",
    "ROLES",
    "Caller",
    "Claims",
    "Permission",
    "Role",
    "SigningKey",
    "SigningKeys",
    "Verifier",
    "kept_roles",
    "permissions_of",
]
