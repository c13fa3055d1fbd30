"""`gradeline keys`: API keys, kept in the database; for whoever has the database, no key is needed."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, TypeVar

import click
import msgspec

from cli.output import print_json, print_table
from cli.place import home_option, local_settings
from pipeline.service.access import Access, CreatedKey, Role

ROLES: Final = (Role.SUBMITTER, Role.TEACHER, Role.OPERATOR)

MOST_NAME_CHARS: Final = 100

Answer = TypeVar("Answer")


class Name(click.ParamType[str]):
    """A name that people will read in lists."""

    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The same name; fails where nothing of it can be seen, or some of it cannot."""
        if not (0 < len(value) <= MOST_NAME_CHARS and value.isprintable() and value == value.strip()):
            self.fail(f"must be 1 to {MOST_NAME_CHARS} printable characters, without blanks around them", param, ctx)
        return value


@click.group()
def keys() -> None:
    """Create, list and revoke API keys, in the database directly.

    \b
    Example:
      gradeline keys create --tenant school --role submitter --name "the school's backend"
    """


@keys.command()
@click.option(
    "--tenant", type=Name(), default="default", show_default=True, help="Whose key; a new name makes a new tenant."
)
@click.option("--role", type=click.Choice([str(role) for role in ROLES]), default="submitter", show_default=True)
@click.option("--name", type=Name(), help="What the key is for, in your words.  [default: the role]")
@click.option("--json", "as_json", is_flag=True, help="Answer with one JSON object.")
@home_option
def create(tenant: str, role: str, name: str | None, as_json: bool, home: Path | None) -> None:
    """Make a key and show its secret, this once.

    A submitter hands in, reads results and makes learner tokens: the key for your backend. A teacher also
    edits questions and reads what was learnt. An operator looks into queues and keys, and hands nothing in.

    \b
    Example:
      gradeline keys create --tenant school --role teacher --name "question editors"
    """

    async def make(access: Access) -> tuple[bool, CreatedKey]:
        first = all(key.tenant != tenant for key in await access.list_keys())
        return first, await access.create_key(tenant, Role(role), name or role)

    first, created = ask(home, make)
    if as_json:
        print_json({"tenant": tenant, **msgspec.to_builtins(created)})
        return
    click.echo(created.secret)
    whose = f"{tenant}, whose first key it is" if first else tenant
    click.echo(f"{role} of {whose}, id {created.id}; the secret is not shown again", err=True)


@keys.command("list")
@click.option("--tenant", help="Only this tenant's keys.  [default: everybody's]")
@click.option("--json", "as_json", is_flag=True, help="Answer with a JSON array.")
@home_option
def list_(tenant: str | None, as_json: bool, home: Path | None) -> None:
    """List keys, oldest first, without their secrets.

    \b
    Example:
      gradeline keys list --tenant school
    """
    found = [key for key in ask(home, lambda access: access.list_keys()) if tenant in (None, key.tenant)]
    if as_json:
        print_json(found)
        return
    print_table(
        ["id", "tenant", "role", "name", "created", "revoked"],
        [
            [key.id, key.tenant, key.role, key.name, f"{key.created_at:%Y-%m-%d %H:%M}", when(key.revoked_at)]
            for key in found
        ],
    )


@keys.command()
@click.argument("key_id")
@home_option
def revoke(key_id: str, home: Path | None) -> None:
    """Revoke the key with this id; servers refuse it within seconds, and tokens that it made at once.

    \b
    Example:
      gradeline keys revoke 01890a5d-ac96-774b-bcce-b302099a8057
    """
    ask(home, lambda access: access.revoke_key(key_id))
    click.echo(f"{key_id} is revoked")


def ask(home: Path | None, question: Callable[[Access], Awaitable[Answer]]) -> Answer:
    """What the access service of the installation answers."""
    from pipeline import bootstrap

    async def answer() -> Answer:
        settings = local_settings(home)
        await bootstrap.check_schema(settings)
        async with bootstrap.open_access(settings) as access:
            return await question(access)

    return asyncio.run(answer())


def when(moment: object) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"
