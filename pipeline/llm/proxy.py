"""The proxies that the environment names: which one leads to an address, and whether requests can take it."""

from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

# typeshed does not know the last one, which Python has had since 2.6.
from urllib.request import getproxies, proxy_bypass, proxy_bypass_environment  # type: ignore[attr-defined]

SPOKEN: Final = frozenset({"http", "https"})
"""How a proxy may be spoken to. There are others, SOCKS among them, for which the transport has no words."""


class Named(NamedTuple):
    """A proxy, and the variable that names it."""

    variable: str
    url: str


def proxy_for(scheme: str, host: str) -> str | None:
    """The proxy that this process's environment, or its system, names for an address; None where there is none."""
    named = getproxies()
    return None if proxy_bypass(host) else whole(named.get(scheme) or named.get("all") or "") or None


def proxy_problem(url: str, environment: Mapping[str, str]) -> str | None:
    """Why requests to `url` can't take the proxy that is named for it. Quotes no address: it may hold a password."""
    parts = urlsplit(url)
    named = named_in(environment, parts.scheme) or named_in(environment, "all")
    if named is None or proxy_bypass_environment(parts.hostname or "", {"no": exempt_in(environment)}):
        return None
    scheme, _, rest = whole(named.url).partition("://")
    if scheme.lower() not in SPOKEN:
        return f"{named.variable}: names a proxy of a kind that models cannot be asked through; {ADVICE}"
    return None if has_host(f"{scheme}://{rest}") else f"{named.variable}: is no address of a proxy; {ADVICE}"


ADVICE: Final = "it must begin with http:// or https://, or NO_PROXY must name the model's host"


def named_in(environment: Mapping[str, str], scheme: str) -> Named | None:
    """What is named under `<scheme>_proxy`; in small letters it comes first, and empty it takes the other one back."""
    small = f"{scheme}_proxy"
    for variable in (small, small.upper()):
        if variable in environment:
            return Named(variable, environment[variable]) if environment[variable] else None
    return None


def exempt_in(environment: Mapping[str, str]) -> str:
    """The hosts that are asked without a proxy, as `NO_PROXY` lists them."""
    return environment.get("no_proxy", environment.get("NO_PROXY", ""))


def whole(url: str) -> str:
    """An address with its scheme, which is HTTP's where it is left out: `proxy.example:3128`."""
    return url if "://" in url or not url else f"http://{url}"


def has_host(url: str) -> bool:
    """Whether it can be read, and names a host."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
