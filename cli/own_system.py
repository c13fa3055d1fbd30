"""A system of a command's own: everything `up` runs, in a home that is gone afterwards."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from cli.connection import Connection
from cli.demo.models import without_models
from cli.installation import check, ensure_keys, furnish, migrate
from cli.supervisor import Plan, leave_empty, running
from pipeline.errors import EnvironmentFault
from pipeline.settings import read_settings


@contextmanager
def own_system(
    home: Path | None, workers: int, say: Callable[[str], None], *, models: bool = False, curriculum: bool = False
) -> Iterator[Connection]:
    """A ready system on free ports, without rate limits, with servers of its own.

    It lives in `home`, or in a temporary directory that is removed. Servers that settings name are left
    alone: trying things out must not write into somebody's database. Nor must it cost money: without `models`
    no part of it finds a provider's key. With `curriculum` it teaches what Gradeline ships with.
    """
    with ExitStack() as stack:
        if home is None:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gradeline-"))) / "home"
        yield stack.enter_context(started(home, workers, say, models=models, curriculum=curriculum))


@contextmanager
def started(
    home: Path, workers: int, say: Callable[[str], None], *, models: bool, curriculum: bool
) -> Iterator[Connection]:
    settings = msgspec.structs.replace(
        read_settings(), home=home, database_url=None, redis_url=None, queue_redis_url=None, port=0, rate_limits="off"
    )
    if not models:
        settings = msgspec.structs.replace(settings, ai_config=None)
    environment = dict(os.environ) if models else without_models(os.environ)
    furnished = furnish if curriculum else leave_empty
    plan = Plan(settings, workers, check, migrate, ensure_keys, furnished, environment=environment)
    with running(plan, say) as system:
        if system.connection is None:
            raise EnvironmentFault("the system did not say where it is")
        yield system.connection
