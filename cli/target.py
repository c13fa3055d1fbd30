"""Which server a client command talks to, and with which key."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar
from urllib.parse import urlsplit

import click

from cli.connection import Connection, read_connection
from cli.place import home_option
from pipeline.errors import EnvironmentFault

DEFAULT_HOME: Final = ".gradeline"

Function = TypeVar("Function", bound=Callable[..., Any])


class Target(NamedTuple):
    """A server and the key to send it."""

    url: str
    key: str


def client_options(command: Function) -> Function:
    """The options `--url`, `--api-key` and `--home` of every client command."""
    url = click.option("--url", help="Address of the server.  [default: $GRADELINE_URL, or a running `gradeline up`]")
    key = click.option("--api-key", help="API key.  [default: $GRADELINE_API_KEY, or that of `gradeline up`]")
    return url(key(home_option(command)))


def find_target(url: str | None, api_key: str | None, home: Path | None, *, operator: bool = False) -> Target:
    """The server meant: by option, by variable, or by what runs in the home; raises `EnvironmentFault`.

    A key named by option or variable is sent whatever its role; of a running `gradeline up` it is the
    operator's where `operator` asks for it.
    """
    home = home or Path(os.environ.get("GRADELINE_HOME") or DEFAULT_HOME)
    url = url or os.environ.get("GRADELINE_URL") or None
    api_key = api_key or os.environ.get("GRADELINE_API_KEY") or None
    running = None if url and api_key else read_connection(home)
    if url is None and running is None:
        raise EnvironmentFault(
            f"no Gradeline runs in {home}; start one with `gradeline up`, or name one with --url and --api-key"
        )
    key = api_key or key_of(running, url, operator=operator)
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise EnvironmentFault(
            "that is no API key: it has characters that no key has; see --api-key or GRADELINE_API_KEY"
        )
    return Target(checked_address(url or running_url(running)), key)


def checked_address(url: str) -> str:
    """The address without a slash at its end; raises `EnvironmentFault` for what can be none."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and " " not in url and parts.port != 0
    except ValueError:  # brackets that do not match, a port beyond all ports
        sound = False
    if not sound:
        raise EnvironmentFault(f"{url} is not the address of a server, such as https://gradeline.example")
    return url.rstrip("/")


def running_url(running: Connection | None) -> str:
    return running.url if running else ""


def key_of(running: Connection | None, url: str | None, *, operator: bool) -> str:
    """The key of the system that runs here; it is never sent to another address."""
    if running is None or (url is not None and url.rstrip("/") != running.url):
        raise EnvironmentFault("name the API key for this server with --api-key or GRADELINE_API_KEY")
    return running.operator_key if operator else running.api_key
