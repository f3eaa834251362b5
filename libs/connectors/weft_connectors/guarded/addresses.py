"""Which IP addresses may be connected to.

An explicit list: `ipaddress.is_global` of Python 3.11 lets metadata services, NAT64, 6to4 and multicast through.
Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries; RFC 6052 (NAT64), RFC 4291 (IPv4-mapped), RFC 3056 (6to4).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address

PRIVATE: Final[dict[str, str]] = {
    "127.0.0.0/8": "loopback",
    "10.0.0.0/8": "private",
    "172.16.0.0/12": "private",
    "192.168.0.0/16": "private",
    "100.64.0.0/10": "carrier-grade NAT",
    "198.18.0.0/15": "benchmarking",
    "::1/128": "loopback",
    "fc00::/7": "private",
}
"""Refused unless private addresses are allowed: a machine's own and a company's own networks."""

NEVER: Final[dict[str, str]] = {
    "100.100.100.200/32": "a cloud's metadata service",
    "168.63.129.16/32": "a cloud's metadata service",
    "fd00:ec2::/32": "a cloud's metadata service",
    "fd20:ce::/32": "a cloud's metadata service",
    "0.0.0.0/8": "this network",
    "169.254.0.0/16": "link-local",
    "192.0.0.0/24": "reserved",
    "192.0.2.0/24": "documentation",
    "192.88.99.0/24": "6to4 relay",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved",
    "2001::/23": "reserved",
    "2001:db8::/32": "documentation",
    "2002::/16": "6to4",
    "3fff::/20": "documentation",
    "fe80::/10": "link-local",
    "fec0::/10": "site-local",
    "ff00::/8": "multicast",
}
"""Refused always: nothing that a workflow may want is there, and the metadata services of clouds are."""

Networks = tuple[tuple[IPv4Network | IPv6Network, str], ...]
_PRIVATE: Final[Networks] = tuple((ip_network(cidr), name) for cidr, name in PRIVATE.items())
_NEVER: Final[Networks] = tuple((ip_network(cidr), name) for cidr, name in NEVER.items())
_GLOBAL_V6: Final = IPv6Network("2000::/3")
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_EMBEDDING: Final = (_MAPPED, _NAT64)


def refusal(text: str, *, allow_private: bool = False) -> str | None:
    """Why an address must not be connected to, in a few words; None when it may be.

    text: an IP address as a resolver gives it.  Raises: ValueError when it is none.
    """
    if "%" in text:
        return "link-local"  # only such addresses carry a zone
    address, through = _embedded(ip_address(text))
    found = _named(address, _NEVER)
    if found is None and not allow_private:
        found = _named(address, _PRIVATE)
    if found is None and isinstance(address, IPv6Address) and address not in _GLOBAL_V6 and _named(address, _PRIVATE) is None:
        found = "reserved"
    return found if found is None or through is None else f"{found}, in {through}"


def _embedded(address: Address) -> tuple[Address, str | None]:
    """The IPv4 address that packets to an IPv6 one end at, where it carries one, and how it is carried."""
    if isinstance(address, IPv6Address):
        for network in _EMBEDDING:
            if address in network:
                return IPv4Address(int(address) & 0xFFFFFFFF), "an IPv4-mapped address" if network is _MAPPED else "a NAT64 address"
    return address, None


def _named(address: Address, networks: Networks) -> str | None:
    return next((name for network, name in networks if network.version == address.version and address in network), None)
