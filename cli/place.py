"""Which installation a command on this machine means: the settings, completed by what `up` wrote into its home."""

from pathlib import Path

import click
import msgspec

from cli.connection import read_connection
from pipeline.settings import Settings, read_settings

home_option = click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Home of a running `gradeline up`.  [default: $GRADELINE_HOME or .gradeline]",
)


def local_settings(home: Path | None) -> Settings:
    """The settings; servers they do not name are those of the system that runs in the home, if one does."""
    settings = own_settings(home)
    connection = read_connection(settings.home)
    if connection is None:
        return settings
    return msgspec.structs.replace(
        settings,
        database_url=settings.database_url or connection.database_url,
        redis_url=settings.redis_url or connection.redis_url,
    )


def own_settings(home: Path | None) -> Settings:
    """The settings as they are, but for the home where one is named."""
    settings = read_settings()
    return settings if home is None else msgspec.structs.replace(settings, home=home)
