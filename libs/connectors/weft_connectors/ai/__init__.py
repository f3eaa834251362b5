"""`ai.*`: ask a language model. Found by the entry point `ai` of the group `weft.activities`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from weft_language.actions.ai.model import AiWith, ClassifyWith, ExtractWith, GenerateWith, PersonalizeWith, SummarizeWith

from weft_connectors.activity import Activity
from weft_connectors.ai.accounts import Accounts
from weft_connectors.ai.calling import Asker
from weft_connectors.connections import ConnectionReader
from weft_connectors.plug import Plug, plugged

WITH: Final[Mapping[str, type[AiWith]]] = {
    "ai.generate": GenerateWith,
    "ai.classify": ClassifyWith,
    "ai.summarize": SummarizeWith,
    "ai.extract": ExtractWith,
    "ai.personalize": PersonalizeWith,
}


def activities(
    allow_private_addresses: bool | None = None, connections: ConnectionReader | None = None, accounts: Accounts | None = None
) -> Mapping[str, Activity]:
    """What this connector gives.

    allow_private_addresses: let models on private and loopback addresses be asked; None: as WEFT_ALLOW_PRIVATE_ADDRESSES says.
    connections: gives a tenant's connection by name; None where there are none.
    accounts: keep budgets, tell uses and remember answers; None where nothing of that is done.
    """
    asker = Asker(accounts=accounts)
    return plugged(Plug.of(allow_private_addresses, connections), {name: asker.action(with_) for name, with_ in WITH.items()})
