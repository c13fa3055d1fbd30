"""Free ports of this machine."""

import socket
from typing import Final

from pipeline.errors import EnvironmentFault

HOST: Final = "127.0.0.1"


def free_port(host: str = HOST) -> int:
    """A port free just now; another process may take it before you do, so be ready to ask again."""
    with _socket(host) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def is_taken(port: int, host: str = HOST) -> bool:
    """Whether `port` of `host` cannot be listened on; most likely somebody else does."""
    with _socket(host) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
        return False


def require_free(port: int, host: str = HOST) -> None:
    """Raise `EnvironmentFault`, in one line, unless `port` of `host` can be listened on; 0 stands for any free one."""
    if port and is_taken(port, host):
        raise EnvironmentFault(
            f"cannot listen on port {port} of {host}, most likely because it is in use; "
            "choose another with --port (0: any free one)"
        )


def _socket(host: str) -> socket.socket:
    return socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
