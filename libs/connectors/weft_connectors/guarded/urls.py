"""Which addresses (URLs) a request may be made to, before any name is resolved."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

import httpx2

from weft_connectors.guarded.addresses import refusal
from weft_connectors.guarded.errors import GuardError

MAX_URL_CHARS: Final = 8192
_HOST_NAME: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_][a-z0-9_-]{0,62})*\Z")
_NUMBER: Final = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")


def read_url(text: str, *, allow_private: bool = False) -> httpx2.URL:
    """An address that may be asked: http or https, a host, no user; the fragment is dropped.

    Raises: GuardError `bad_url`, or `ssrf_blocked` for another scheme, a number that stands for an IP address, or a refused IP address.
    """
    if len(text) > MAX_URL_CHARS:
        raise GuardError("bad_url", f"the address has {len(text)} characters; at most {MAX_URL_CHARS} are sent")
    try:
        url = httpx2.URL(text)
        host = url.raw_host.decode("ascii").lower()
    except (httpx2.InvalidURL, ValueError) as error:
        raise GuardError("bad_url", f"the address cannot be read: {error}") from error
    if url.scheme and url.scheme not in ("http", "https"):
        raise GuardError("ssrf_blocked", f"an address may begin with http:// or https://, not {url.scheme[:20]}:")
    if not url.scheme or not host:
        raise GuardError("bad_url", "the address is not absolute; write it as https://host/path")
    if "@" in url.netloc.decode("ascii", "replace") or url.userinfo or "@" in _authority(text):
        raise GuardError("bad_url", "the address holds a user name or password; send an Authorization header instead")
    if "\\" in text:
        raise GuardError("bad_url", "the address holds a backslash, which servers read differently; write / or %5C")
    if url.port is not None and not 0 < url.port < 65536:
        raise GuardError("bad_url", f"{url.port} is no port; ports are 1 to 65535")
    return url.copy_with(host=_host(host, allow_private), fragment=None)


def shown(url: httpx2.URL) -> str:
    """An address as messages may name it: without its query, which may hold keys."""
    return str(url.copy_with(query=None, fragment=None))[:200]


def _authority(text: str) -> str:
    return re.split(r"[/?#]", text.partition("://")[2], maxsplit=1)[0]


def _host(host: str, allow_private: bool) -> str:
    if ":" in host:
        try:
            IPv6Address(host)
        except AddressValueError as error:
            raise GuardError("bad_url", f"[{host[:60]}] is no IPv6 address: {error}") from error
        return _literal(host, allow_private)
    name = host.removesuffix(".")
    if not _HOST_NAME.match(name):
        raise GuardError("bad_url", f"{name[:60]!r} is no host name")
    if _NUMBER.match(name.rpartition(".")[2]):
        try:
            IPv4Address(name)
        except AddressValueError:
            # Resolvers read 0x7f.1, 0177.0.0.1 and 2130706433 as 127.0.0.1: nobody writes a public address so.
            message = f"{name[:60]} is a number that stands for an IP address; write the address as four decimal numbers"
            raise GuardError("ssrf_blocked", message) from None
        return _literal(name, allow_private)
    return name


def _literal(address: str, allow_private: bool) -> str:
    reason = refusal(address, allow_private=allow_private)
    if reason is not None:
        raise blocked(address, address, reason)
    return address


def blocked(host: str, address: str, reason: str) -> GuardError:
    """The refusal of an address. host: what it was asked for by."""
    leads = f"{host} is" if host == address else f"{host} leads to {address},"
    message = f"{leads} an address that workflows must not reach ({reason}); call a public address, or let an activity's worker call it"
    return GuardError("ssrf_blocked", message, host=host)
