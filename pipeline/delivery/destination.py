"""Where a webhook may go: how its URL must be written, and which addresses belong to the public internet."""

import re
import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

Address = IPv4Address | IPv6Address

MAX_URL_CHARS: Final = 2_000
WELL_KNOWN_PORTS: Final = frozenset({80, 443})
FIRST_FREE_PORT: Final = 1_024
LAST_PORT: Final = 65_535

# Narrower than RFC 3986 on purpose: what two parsers could read differently is not a URL here. Names outside
# ASCII are written in their xn-- form; user names, zone ids, percent signs and backslashes have no place.
URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?P<port>:[0-9]{1,5})?(?P<rest>[/?][!-~]*)?",
    re.IGNORECASE | re.ASCII,
)

NUMERIC: Final = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*", re.ASCII)

# Beyond what `is_global` says. IPv4: the whole protocol assignments block (a cloud's metadata lives in it), old
# 6to4 relays, and the address under which Azure machines reach their host.
NEVER_PUBLIC_4: Final = tuple(
    map(IPv4Network, ("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "240.0.0.0/4", "168.63.129.16"))
)
GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
NAT64: Final = IPv6Network("64:ff9b::/96")
SIX_TO_FOUR: Final = IPv6Network("2002::/16")
TEREDO: Final = IPv6Network("2001::/32")


def url_problems(url: str, *, allow_private: bool) -> Iterator[str]:
    """What is wrong with a webhook's URL as far as it shows without asking DNS; each a sentence."""
    match = URL.fullmatch(url)
    if match is None or len(url) > MAX_URL_CHARS or is_broken_address(match["host"]):
        yield (
            "An absolute http or https URL of visible ASCII characters is expected, without user name and"
            f" password, of at most {MAX_URL_CHARS} characters."
        )
        return
    if not port_allowed(match):
        yield "The port must be 80, 443, or 1024 and above."
    if not allow_private and names_private_host(match["host"]):
        yield "The host must be on the public internet."


def port_allowed(match: re.Match[str]) -> bool:
    """Web ports and free ones; a webhook has nothing to say to a mail or name server."""
    if match["port"] is None:
        return True
    port = int(match["port"][1:])
    return port in WELL_KNOWN_PORTS or FIRST_FREE_PORT <= port <= LAST_PORT


def names_private_host(host: str) -> bool:
    """Whether a host is this machine's name or an address that is not public, in whatever spelling."""
    name = host.strip("[]").rstrip(".").lower()
    if not name or name == "localhost" or name.endswith(".localhost"):
        return True
    literal = literal_address(name)
    return literal is not None and not is_public(literal)


def is_broken_address(host: str) -> bool:
    """Whether a host ends like an IPv4 address, or stands in brackets like an IPv6 one, and is none."""
    if host.startswith("["):
        return not is_ipv6(host[1:-1])
    name = host.rstrip(".")
    return NUMERIC.fullmatch(name.rpartition(".")[2]) is not None and literal_address(name) is None


def is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def literal_address(name: str) -> Address | None:
    """The address that a host name spells out, also in the old forms (127.1, 0x7f.1, 2130706433); else None."""
    try:
        return ip_address(name)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(name))
    except OSError:
        return None


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet.

    After the special-purpose registries of RFC 6890. Addresses that carry an IPv4 address (mapped, NAT64 of
    RFC 6052, 6to4 of RFC 3056) are public where both are; Teredo (RFC 4380) never is.
    """
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and not any(address in net for net in NEVER_PUBLIC_4)
    carried = carried_address(address)
    if carried is not None:
        return is_public(carried)
    return address in GLOBAL_UNICAST and address.is_global and address not in TEREDO


def carried_address(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that packets to this IPv6 address end up at, if there is one."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    if address in SIX_TO_FOUR:
        return address.sixtofour
    return None
