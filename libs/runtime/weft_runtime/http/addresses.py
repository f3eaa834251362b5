"""Where a request comes from: the peer, or whom a proxy that we trust saw."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from starlette.types import Scope

HOPS_MAX: Final = 32
"""Entries of `X-Forwarded-For` that are read, from its end."""
_OF_ONE_PARTY: Final = 64
"""Bits of an IPv6 address that one party is given; the others it chooses. Source: RFC 6177."""

Network = IPv4Network | IPv6Network


def client_address(scope: Scope, trusted: Sequence[Network]) -> str:
    """The address a request comes from, "" where that is unknown.

    trusted: of proxies. What `X-Forwarded-For` says counts only as far as such ones said it, read from its end: the rest is the client's.
    """
    peer = (scope.get("client") or ("",))[0]
    found = _read(peer)
    if found is None or not _in(found, trusted):
        return str(found or peer)
    said = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for").decode("latin-1")
    for hop in reversed(said.rsplit(",", HOPS_MAX)[-HOPS_MAX:]):
        address = _read(hop.strip())
        if address is None:
            break
        found = address
        if not _in(found, trusted):
            break
    return str(found)


def of_one_party(address: str) -> str:
    """What limits are counted by: an IPv4 address, or the network of an IPv6 one, of which whoever has it has 2**64 addresses."""
    read = _read(address)
    return str(ip_network((read, _OF_ONE_PARTY), strict=False)) if isinstance(read, IPv6Address) else address


def _read(text: str) -> IPv4Address | IPv6Address | None:
    """An address as proxies write it: with a port too, an IPv6 one in brackets; an IPv4 one in the coat of an IPv6 one is itself."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _in(address: IPv4Address | IPv6Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
