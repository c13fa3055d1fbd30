"""The HTTP server: uvicorn, told how to end while streams are open."""

import gc
import resource
import signal
from types import FrameType
from typing import Any

import structlog
import uvicorn
from litestar import Litestar

from api.app import create_app
from api.cork import CorkedProtocol
from api.documentation import Documentation
from api.lane import with_lane
from pipeline import telemetry
from pipeline.settings import Settings

log = structlog.get_logger()


class Server(uvicorn.Server):
    """Uvicorn waits for open responses before it ends, so streams and long polls are told to end first."""

    def __init__(self, app: Litestar, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.app = app

    @property
    def address(self) -> str:
        """Where it listens, with the port that was really taken."""
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    async def startup(self, sockets: Any = None) -> None:
        """Start up, then say where: with port 0 nothing else tells."""
        await super().startup(sockets)
        log.info(telemetry.API_STARTED, address=self.address)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Take a signal as the wish to end, and nothing more: uvicorn would raise it again when all is done.

        A process that was told to end and has answered everybody ends with 0.
        """
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    async def shutdown(self, sockets: Any = None) -> None:
        """Let every watcher go, then shut down."""
        self.app.state.parts.watch.end()
        await super().shutdown(sockets)
        log.info(telemetry.API_STOPPED)


def create_server(settings: Settings, documentation: Documentation | None = None) -> Server:
    """A server for one API process; it serves when its `run` or `serve` is called."""
    app = create_app(settings, documentation)
    config = uvicorn.Config(
        with_lane(app, most_bytes=settings.max_body_bytes),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=CorkedProtocol,
        access_log=False,
        log_level="warning",
        lifespan="on",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=max(1, int(settings.shutdown_seconds)),
    )
    return Server(app, config)


def settle_memory() -> None:
    """Leave what was loaded at start out of garbage collection, and collect less often: both pause requests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def raise_file_limit() -> None:
    """Allow as many open connections as the system lets this process have; every watcher holds one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
