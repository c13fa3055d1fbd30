"""Free ports on the loopback address."""

import socket
from typing import Final

HOST: Final = "127.0.0.1"


def free_port() -> int:
    """A port free just now; another process may take it before you do, so be ready to ask again."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_taken(port: int) -> bool:
    """Whether somebody listens on, or otherwise holds, `port` of the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
        return False
