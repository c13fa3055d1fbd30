"""Where a model is: whether an address may be used, and whether it can be in the operator's own house."""

import ipaddress
from typing import Final
from urllib.parse import SplitResult, urlsplit

from pipeline.exchange import Place

CLOUD_DOMAINS: Final = (
    "amazonaws.com",
    "anthropic.com",
    "azure.com",
    "cloudflare.com",
    "cohere.com",
    "deepinfra.com",
    "deepseek.com",
    "fireworks.ai",
    "googleapis.com",
    "groq.com",
    "huggingface.co",
    "mistral.ai",
    "openai.com",
    "openrouter.ai",
    "perplexity.ai",
    "together.ai",
    "together.xyz",
    "x.ai",
)
"""Known not to be in anybody's house. The list need not be whole: it catches a slip, not a lie."""
HOUSE_DOMAINS: Final = ("localhost", "local", "internal", "lan", "home.arpa", "test")
"""Domains that no public name server knows (RFC 6761, 6762, 8375, and ICANN's reservation of .internal)."""


def address_problem(url: str, place: Place) -> str | None:
    """Why a model at `place` cannot be asked at this address; None where it can. Never quotes the address."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no address"
    if parts.scheme not in {"http", "https"} or not host or " " in url:
        return "must be an address such as https://llm.example/v1"
    if parts.username is not None or parts.query or parts.fragment:
        return "must hold no user, key, query or fragment: keys stay in environment variables"
    return house_problem(parts, host, place)


def house_problem(parts: SplitResult, host: str, place: Place) -> str | None:
    """Why an address will not do for its place; within this machine nothing is encrypted, and need not be."""
    if place is Place.LOCAL and is_within(host, CLOUD_DOMAINS):
        return 'belongs to a cloud, so its place cannot be "local"'
    if parts.scheme == "http" and not is_own_machine(host) and (place is Place.CLOUD or not is_in_house(host)):
        return "must begin with https://, or answers would travel readable by anybody on the way"
    return None


def is_own_machine(host: str) -> bool:
    """Whether it never leaves this machine."""
    address = literal(host)
    return address.is_loopback if address is not None else is_within(host, ("localhost",))


def is_in_house(host: str) -> bool:
    """Whether it is a private address, or a name that only a house of one's own gives: `ollama`, `llm.internal`."""
    address = literal(host)
    if address is not None:
        return address.is_private
    return "." not in host or is_within(host, HOUSE_DOMAINS)


def is_within(host: str, domains: tuple[str, ...]) -> bool:
    """Whether a host is one of these domains or below one."""
    name = host.rstrip(".").lower()
    return any(name == domain or name.endswith(f".{domain}") for domain in domains)


def literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address written as numbers; None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
