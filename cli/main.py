"""`gradeline`: the commands, each loaded only when it is asked for, so that `--help` is quick."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import click

from pipeline.errors import GradelineError

DATABASE_PACKAGES: Final = frozenset({"sqlalchemy", "psycopg"})
"""Known by name, because importing them takes longer than `--help` may."""


class Entry(NamedTuple):
    """Where a command is, and its first sentence of help, which the list of commands shows without loading it."""

    module: str
    attribute: str
    summary: str


COMMANDS: Final[Mapping[str, Entry]] = MappingProxyType(
    {
        "up": Entry("cli.installation", "up", "Run everything on this machine: PostgreSQL, Valkey, API and workers."),
        "demo": Entry("cli.demo.command", "demo", "Run everything on samples, show what comes out, and stop."),
        "api": Entry("cli.process", "api", "Run one API process."),
        "worker": Entry("cli.process", "worker", "Run one worker process."),
        "migrate": Entry("cli.process", "migrate", "Bring the database to the newest schema."),
        "import": Entry(
            "cli.importing", "import_", "Put the questions of a file into the bank, or a curriculum in its place."
        ),
        "questions": Entry("cli.questions", "questions", "Search the question bank."),
        "submit": Entry("cli.submit", "submit", "Hand in the submissions of a file."),
        "review": Entry("cli.review", "review", "List, show and settle answers that wait for a person."),
        "queues": Entry("cli.queues", "queues", "Show the queues of all stages."),
        "dead": Entry("cli.dead", "dead", "List, retry and discard dead letters."),
        "llm": Entry("cli.llm", "llm", "Show how language models do: alerts, money, providers, experiments."),
        "doctor": Entry("cli.doctor", "doctor", "Check the installation and say what to do."),
        "evaluate": Entry("cli.evaluate", "evaluate", "Measure how well our models predict and our rules score."),
        "bench": Entry("cli.bench.command", "bench", "Measure rates, latencies and costs, within 90 seconds."),
        "prompts": Entry("cli.prompts", "prompts", "List the texts of feedback, and show what a model would be sent."),
        "learners": Entry("cli.learners", "learners", "Check or rebuild what was learnt of learners and questions."),
        "keys": Entry("cli.keys", "keys", "Create, list and revoke API keys, in the database directly."),
    }
)


class Commands(click.Group):
    """A group that imports a command when it is used and turns our errors into one line and exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the signature is click's
        """The commands in the order in which people need them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's
        """The command, imported now; None if there is none of this name."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = getattr(import_module(entry.module), entry.attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """The list of commands, from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error that we raise on purpose is its text, not a traceback.

        One of the database that nobody foresaw is a line too: a traceback would show the row it is about.
        """
        try:
            return super().invoke(ctx)
        except GradelineError as error:
            raise click.ClickException(str(error)) from None
        except Exception as error:
            if type(error).__module__.partition(".")[0] not in DATABASE_PACKAGES:
                raise
            raise click.ClickException(gist(error)) from None


def gist(error: Exception) -> str:
    """A database error in one line: its type and the first line, without the DETAIL that quotes the row."""
    cause = getattr(error, "orig", None) or error
    lines = str(cause).strip().splitlines() or ["no reason given"]
    return f"the database refused what we asked ({type(cause).__name__}): {lines[0]}"


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="gradeline", prog_name="gradeline")
def main() -> None:
    """Score submissions within moments, then write feedback, recommendations and metrics.

    Client commands find the server by --url and --api-key, by GRADELINE_URL and GRADELINE_API_KEY, or
    by what `gradeline up` wrote into its home. Exit codes: 0 done, 1 failed, 2 wrong usage.

    \b
    Example:
      gradeline up                              # in one terminal
      gradeline import questions.ndjson         # in another
      gradeline submit submissions.ndjson --watch
    """
