"""The one way out: every request to an address that a tenant chose is made by this client.

Names are resolved once, every address is checked, and the connection goes to the checked address: a name that changes its
mind between the check and the connection changes nothing. Redirects pass the same check. Sizes and times are bounded.
"""

from weft_connectors.guarded.addresses import refusal
from weft_connectors.guarded.client import Answer, GuardedClient, Outgoing
from weft_connectors.guarded.errors import GuardError
from weft_connectors.guarded.network import Resolver, system_resolver

__all__ = ["Answer", "GuardError", "GuardedClient", "Outgoing", "Resolver", "refusal", "system_resolver"]
