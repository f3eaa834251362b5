"""For which triggers a mail is, and what it is in the log. Time and ids are arguments."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from weft_contracts.cloudevents import CloudEvent
from weft_language.compilation import glob_matches

from weft_events.domain import MAILED, Candidate, Considered, Received, consider_alone
from weft_events.mails import addresses
from weft_events.mails.mail import Mail, payload

MAX_OTHERS: Final = 20
"""Triggers on other addresses that an explanation names, where a mail was for none."""


class AddressIndex:
    """The mail triggers of one tenant's active workflows, found by the addresses that a mail is for."""

    def __init__(self, candidates: Iterable[Candidate] = ()) -> None:
        """Index them. Those of equal priority keep the order of their workflows' slugs."""
        self._exact: dict[str, list[int]] = {}
        self._globs: list[tuple[int, str]] = []
        found = [one for one in candidates if one.trigger.address is not None]
        self.all = tuple(sorted(found, key=lambda one: (one.trigger.priority, one.workflow, one.place)))
        for rank, one in enumerate(self.all):
            listened = addresses.same(one.trigger.address or "")
            if "*" in listened or "?" in listened:
                self._globs.append((rank, listened))
            else:
                self._exact.setdefault(listened, []).append(rank)

    def of(self, recipients: Sequence[str]) -> list[Candidate]:
        """The triggers that a mail for these addresses is for, each once, in the order they are to be considered."""
        ranks: set[int] = set()
        for address in recipients:
            ranks.update(self._exact.get(address, ()), self._exact.get(addresses.without_tag(address), ()))
            ranks.update(rank for rank, glob in self._globs if glob_matches(glob, address))
        return [self.all[rank] for rank in sorted(ranks)]


def event_of(mail: Mail, for_: Sequence[str], id_: str, source: str, at: datetime) -> CloudEvent:
    """A mail as the event that it is in the log. for_: the addresses it is for.  id_, source: what makes it the same one again."""
    data = payload(mail, for_)
    return CloudEvent(id_, source, MAILED, data, subject=mail.subject[:200] or None, time=at, datacontenttype="application/json")


def consider(received: Received, index: AddressIndex, for_: Sequence[str], tenant: Mapping[str, Any]) -> Iterator[Considered]:
    """What comes of every trigger that a mail is for; where there is none, which addresses the others listen to."""
    found = index.of(for_)
    for one in found:
        yield consider_alone(received, one, tenant)
    if not found:
        named = ", ".join(for_[:5]) or "nobody that it names"
        for one in index.all[:MAX_OTHERS]:
            detail = f"the trigger listens to {one.trigger.address}, and the mail is for {named}"
            yield Considered(one.workflow, one.version, one.trigger.id, False, "address", detail)


def sameness(message_id: str | None, sender: str, for_: Sequence[str], subject: str) -> str | None:
    """What two deliveries of one mail have alike: its message id, sender, recipients and subject. None without a message id.

    The id alone is its sender's to choose: whoever sends another's id takes nothing from anybody, and a mail that comes to two of a
    tenant's addresses one after the other is two.
    """
    if not message_id:
        return None
    written = msgspec.json.encode([message_id, sender, sorted(for_), subject])
    return f"sha256:{hashlib.sha256(written).hexdigest()}"
