"""The HTTP door: routes with the house's rules, which are written here once and nowhere else."""

from weft_runtime.http.door import Door
from weft_runtime.http.parameters import Asker, Body, Context, IfMatch, Listing, OwnerUow, Page, RawBody, Several, Uow
from weft_runtime.http.reply import Reply

__all__ = ["Asker", "Body", "Context", "Door", "IfMatch", "Listing", "OwnerUow", "Page", "RawBody", "Reply", "Several", "Uow"]
